// Topics that pages look at, each loaded once however many components want it.
import { shallowRef, type ShallowRef } from 'vue'
import type { Callback, Event, Presence, Snapshot, Summary } from '../generated/frames'
import { Again } from './again'
import { pulse } from './pulse'
import { LatestRows, TicketRows, type Change } from './rows'

type TakePage = (topic: string, cursor: string) => Promise<Snapshot>

interface Rows {
  loading: boolean
  snapshot(rows: readonly unknown[], seq: number, first: boolean): void
  event(row: unknown, seq: number): void
}

/** One topic: its rows, how far they are loaded, and a number that changes with them (read it to be told). */
export class Feed {
  readonly version: ShallowRef<number> = shallowRef(0)
  readonly loading: ShallowRef<boolean> = shallowRef(true)
  users = 0
  readonly changes = new Set<Change>()
  readonly tickets: TicketRows
  readonly presence = new LatestRows<Presence>((row) => row.staff, (row) => row.state !== 'offline')
  readonly callbacks = new LatestRows<Callback>((row) => String(row.id), (row) => row.state !== 'done')
  private readonly mark = pulse(() => (this.version.value += 1))
  private round = 0

  constructor(readonly topic: string, private readonly take: TakePage) {
    this.tickets = new TicketRows(topic, (row, before) => {
      for (const change of this.changes) change(row, before)
    })
  }

  private get rows(): Rows {
    if (this.topic === 'presence') return this.presence as unknown as Rows
    return this.topic === 'callbacks' ? (this.callbacks as unknown as Rows) : (this.tickets as unknown as Rows)
  }

  /** Take the snapshot, page by page; a later call makes an earlier one stop. */
  async load(): Promise<void> {
    const round = (this.round += 1)
    this.loading.value = true
    this.rows.loading = true
    let cursor = ''
    do {
      const page = await this.take(this.topic, cursor)
      if (round !== this.round) return
      this.rows.snapshot(page.rows, page.seq, cursor === '')
      this.mark()
      cursor = page.next ?? ''
    } while (cursor)
    this.rows.loading = false
    this.version.value += 1 // at once: who sees that it is loaded sees the rows
    this.loading.value = false
  }

  /** Take an event in; one that is not of this topic changes nothing. */
  event(event: Event): void {
    if (this.topic === 'presence' || this.topic === 'callbacks') {
      if (event.data && event.type === (this.topic === 'presence' ? 'presence' : 'callback')) this.rows.event(event.data, event.seq)
      else return
    } else if (event.summary) {
      this.tickets.event(event.summary as Summary, event.seq)
    } else return
    this.mark()
  }
}

interface Used {
  feed: Feed
  /** Loads it, until it is loaded. */
  loads: Again
}

/** All topics in use. `follow` and `unfollow` tell the gateway. */
export class Feeds {
  private readonly found = new Map<string, Used>()

  constructor(
    private readonly take: TakePage, private readonly follow: (topic: string) => void,
    private readonly unfollow: (topic: string) => void, private readonly failed: (error: unknown) => void,
  ) {}

  /** Use a topic; the first user makes it followed and loaded – followed first, so that nothing falls in between. */
  use(topic: string): Feed {
    const { feed } = this.found.get(topic) ?? this.begin(topic)
    feed.users += 1
    return feed
  }

  private begin(topic: string): Used {
    const feed = new Feed(topic, this.take)
    const used = { feed, loads: new Again(() => feed.load(), this.failed) }
    this.found.set(topic, used)
    this.follow(topic)
    used.loads.start()
    return used
  }

  leave(feed: Feed): void {
    feed.users -= 1
    if (feed.users > 0) return
    this.found.get(feed.topic)?.loads.stop()
    this.found.delete(feed.topic)
    this.unfollow(feed.topic)
  }

  event(event: Event): void {
    for (const { feed } of this.found.values()) feed.event(event)
  }

  /** Take all snapshots anew: too much was missed. */
  reload(): void {
    for (const { loads } of this.found.values()) loads.start()
  }

  /** The line is back: what could not be loaded is asked for at once. */
  hurry(): void {
    for (const { loads } of this.found.values()) loads.hurry()
  }
}
