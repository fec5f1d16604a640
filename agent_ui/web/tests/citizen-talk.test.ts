// The citizens' chat against a small service: whatever is cut, nothing is lost, doubled or out of order.
import { describe, expect, it } from 'vitest'
import { again, dropped, heard, hello, lastSeq, NEW, said, unshown, type Talk } from '../src/pages/citizen/talk/conversation'
import type { ChatAnswer, ChatFrame } from '../src/pages/citizen/kit/wire'

const APPEAL = { number: 'DG1', code: '123456', status: 'received', verdict: 'non_emergency', category: '', department: '', expected_by: null }

/** Numbers from a seed, so that a failure can be seen again. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}

/** What `/chat` does: a message is written once by its id, lines follow the number that hello names. */
class Service {
  readonly lines: { seq: number; author: string; text: string; at: string; id: string }[] = []

  greet(frame: ChatFrame): ChatAnswer[] {
    const last = (frame as { session?: string; last_seq?: number }).session ? ((frame as { last_seq?: number }).last_seq ?? 0) : 0
    const welcome = { type: 'welcome', session: 's1', last_seq: last } as const
    return [welcome, ...this.lines.filter(({ seq }) => seq > last).map((line) => ({ type: 'line', ...line }) as never)]
  }

  take(frame: { id: string; text: string }): ChatAnswer[] {
    const news: ChatAnswer[] = []
    if (!this.lines.some(({ id }) => id === frame.id)) {
      news.push(this.write('citizen', frame.text, frame.id), this.write('hotline', `re ${frame.text}`, ''))
    }
    const line = this.lines.find(({ id }) => id === frame.id)!
    return [{ type: 'ack', id: frame.id, seq: line.seq, appeal: APPEAL } as never, ...news]
  }

  private write(author: string, text: string, id: string): ChatAnswer {
    const line = { seq: this.lines.length + 1, author, text, at: '2026-11-21T00:00:00Z', id }
    this.lines.push(line)
    return { type: 'line', ...line } as never
  }
}

describe.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('with line cuts of seed %i', (seed) => {
  it('everything said stands there once, in order', () => {
    const next = random(seed)
    const service = new Service()
    let talk: Talk = NEW
    let cut = true

    let wire: ChatAnswer[] = []
    /** What is on the wire comes in its order; a cut loses the rest of it. */
    const drain = (): void => {
      for (let answer = wire.shift(); answer; answer = wire.shift()) {
        if (next() < 0.12) {
          cut = true
          wire = []
          return
        }
        const [after, frames] = heard(talk, answer)
        talk = after
        frames.forEach(send)
      }
    }
    const send = (frame: ChatFrame): void => {
      if (cut || frame.type !== 'message') return
      const lost = next() < 0.12
      if (lost && next() < 0.5) cut = true // lost on the way there
      if (!cut) wire.push(...service.take(frame as never))
      cut ||= lost
      if (cut) wire = []
    }
    const connect = (): void => {
      cut = false
      wire = service.greet(hello(talk))
      drain()
    }

    const words = Array.from({ length: 12 }, (_, index) => `m${index}`)
    for (const word of words) {
      if (cut && next() < 0.5) connect()
      const [after, frame] = said(talk, { id: word, text: word, attachments: [] })
      talk = after
      send(frame)
      drain()
    }
    for (let tries = 0; tries < 400 && (cut || talk.waiting.length > 0); tries += 1) connect()
    expect(talk.waiting).toEqual([])
    expect(talk.lines.map(({ seq }) => seq)).toEqual(service.lines.map(({ seq }) => seq))
    expect(talk.lines.filter(({ author }) => author === 'citizen').map(({ text }) => text).sort()).toEqual([...words].sort())
    expect([talk.number, talk.code]).toEqual(['DG1', '123456'])
  })
})

describe('a refused message', () => {
  const [waiting] = said({ ...NEW, session: 's1' }, { id: 'a', text: 'x', attachments: [] })

  it('stays with its reason, and is not sent again', () => {
    const [talk] = heard(waiting, { type: 'error', error_id: 'too_large', detail: '', id: 'a', retry_after: 0 })
    expect(talk.waiting[0]?.refused).toBe('too_large')
    expect(again(talk)).toEqual([])
    expect(dropped(talk, 'a').waiting).toEqual([])
  })
  it('for the moment only is sent again', () => {
    const [talk] = heard(waiting, { type: 'error', error_id: 'rate_limited', detail: '', id: 'a', retry_after: 3 })
    expect(again(talk)).toHaveLength(1)
  })
})

it('a line that came twice or too early is not shown', () => {
  const line = (seq: number) => ({ type: 'line', seq, author: 'hotline', text: 'x', at: '', id: '' }) as const
  let talk: Talk = { ...NEW, session: 's1' }
  for (const seq of [1, 1, 3, 2, 2]) talk = heard(talk, line(seq))[0]
  expect(lastSeq(talk)).toBe(2)
})

it('what has a line already is not shown a second time while it waits for its acknowledgement', () => {
  let [talk] = said({ ...NEW, session: 's1' }, { id: 'a', text: 'x', attachments: [] })
  expect(unshown(talk)).toHaveLength(1)
  ;[talk] = heard(talk, { type: 'line', seq: 1, author: 'citizen', text: 'x', at: '', id: 'a' })
  expect(unshown(talk)).toEqual([])
  expect(talk.waiting).toHaveLength(1)
})
