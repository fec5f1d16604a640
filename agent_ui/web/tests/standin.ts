// A line to the gateway for tests of composables: what is asked is kept and answered by hand, events are told by hand.
// In a test: vi.mock('../src/link', async () => (await import('./standin')).module)
import { effectScope, nextTick, reactive, type EffectScope } from 'vue'
import type { Event, Ok, Snapshot } from '../src/generated/frames'
import type { Ask } from '../src/link'
import { Again } from '../src/link/again'
import { Feed } from '../src/link/feeds'

interface Asked {
  ask: Ask
  answer: (ok?: Partial<Ok>) => Promise<void>
  refuse: (error: unknown) => Promise<void>
}
type Page = Pick<Snapshot, 'rows' | 'seq'>

class Standin {
  asked: Asked[] = []
  hearers = new Set<(event: Event) => void>()
  returns = new Set<() => void>()
  feeds = new Map<string, Feed>()
  /** What snapshots of a topic bring. */
  pages = new Map<string, Page>()
  link = reactive({
    state: 'online', staff: { name: 'li', display_name: '李', role: 'agent' }, serverNow: () => Date.now(), touched: 0,
    ask: (ask: Ask) => this.ask(ask), touch: () => (this.link.touched += 1),
  })
  private scope: EffectScope | null = null
  private seq = 100

  /** What was asked of this type, in order. */
  of = (type: Ask['type']): Asked[] => this.asked.filter((one) => one.ask.type === type)

  run<T>(composable: () => T): T {
    this.scope = effectScope()
    return this.scope.run(composable)!
  }

  reset(): void {
    this.scope?.stop()
    this.asked = []
    this.feeds.clear()
    this.pages.clear()
    this.hearers.clear()
    this.returns.clear()
  }

  feed(topic: string): Feed {
    let feed = this.feeds.get(topic)
    if (!feed) {
      feed = new Feed(topic, async () => ({ type: 'snapshot', topic, ...(this.pages.get(topic) ?? { rows: [], seq: this.seq }) }))
      this.feeds.set(topic, feed)
    }
    return feed
  }

  async load(topic: string): Promise<void> {
    await this.feed(topic).load()
    await settled()
  }

  async tell(type: string, data: object, actor = 'system:'): Promise<void> {
    const event = { seq: (this.seq += 1), at: '', type, actor, number: '', data } as unknown as Event
    for (const feed of this.feeds.values()) {
      feed.event(event)
      feed.version.value += 1 // seen at once, not with the next pulse
    }
    for (const hearer of this.hearers) hearer(event)
    await settled()
  }

  private ask(ask: Ask): Promise<Ok> {
    return new Promise((resolve, reject) => {
      this.asked.push({
        ask,
        answer: async (ok = {}) => (resolve({ type: 'ok', id: 1, ...ok }), settled()),
        refuse: async (error) => (reject(error as Error), settled()),
      })
    })
  }
}

/** Let everything that waits for answers come to rest. */
export async function settled(): Promise<void> {
  await new Promise((done) => setTimeout(done))
  await nextTick()
}

export const standin = new Standin()
export const module = {
  Again,
  useLink: () => standin.link,
  useTopic: (topic: string) => standin.feed(topic),
  useEvents: (hearer: (event: Event) => void) => void standin.hearers.add(hearer),
  useReturn: (back: () => void) => void standin.returns.add(back),
}
