import { describe, expect, it } from 'vitest'
import type { ServerFrame } from '../src/generated/frames'
import { advance, MAX_UNDER_WAY, START, waitFor, type Ask, type Effect, type Input, type Link } from '../src/link/machine'

const staff = { name: 'li', display_name: 'Li', role: 'agent' as const }
const welcome: ServerFrame = { type: 'welcome', seq: 10, staff, server_time: '2026-11-21T10:00:00Z', lease: 10 }
const open: Ask = { type: 'open', number: 'DG1' }
const take: Ask = { type: 'take_callback' }

function run(link: Link, ...inputs: Input[]): [Link, Effect[]] {
  const effects: Effect[] = []
  for (const input of inputs) {
    const [next, done] = advance(link, input)
    link = next
    effects.push(...done)
  }
  return [link, effects]
}
const frame = (one: ServerFrame): Input => ({ kind: 'frame', frame: one })
const online = (...before: Input[]): [Link, Effect[]] =>
  run(START, ...before, { kind: 'start' }, { kind: 'opened', ticket: 'T' }, frame(welcome))
const sent = (effects: Effect[]): unknown[] => effects.filter((effect) => effect.do === 'send').map((effect) => effect.frame)
const again: Input[] = [{ kind: 'retry' }, { kind: 'opened', ticket: 'T2' }, frame(welcome)]

describe('beginning', () => {
  it('says hello with its ticket, then follows what pages want', () => {
    const [link, effects] = online({ kind: 'follow', topics: ['centre', 'presence'] })
    expect(link.phase).toBe('online')
    expect(sent(effects)).toEqual([{ type: 'hello', ticket: 'T' }, { type: 'follow', topics: ['centre', 'presence'] }])
  })
  it('asks what was wanted before it was there', () => {
    const [, effects] = online({ kind: 'ask', ask: open, repeatable: true })
    expect(sent(effects).at(-1)).toEqual({ ...open, id: 1 })
  })
  it('follows a topic once', () => {
    const [link] = online({ kind: 'follow', topics: ['centre'] })
    const [, effects] = run(link, { kind: 'follow', topics: ['centre', 'alarms'] })
    expect(sent(effects)).toEqual([{ type: 'follow', topics: ['alarms'] }])
  })
})

describe('requests', () => {
  it('are at most eight under way; the ninth goes when one is answered', () => {
    const [link] = online()
    const asks = Array.from({ length: 10 }, (): Input => ({ kind: 'ask', ask: open, repeatable: true }))
    const [full, effects] = run(link, ...asks)
    expect(sent(effects)).toHaveLength(MAX_UNDER_WAY)
    const [, more] = run(full, frame({ type: 'ok', id: 3 }))
    expect(more[0]).toMatchObject({ do: 'settle', id: 3 })
    expect(sent(more)).toEqual([{ ...open, id: 9 }])
  })
  it('are answered once: a second answer, and one that nobody asked for, change nothing', () => {
    const [link] = run(online()[0], { kind: 'ask', ask: open, repeatable: true }, frame({ type: 'ok', id: 1 }))
    expect(run(link, frame({ type: 'ok', id: 1 }), frame({ type: 'error', id: 77, error_id: 'x', detail: '' }))).toEqual([link, []])
  })
  it('are refused by their own error; an error of no request is told as it is', () => {
    const [link] = run(online()[0], { kind: 'ask', ask: open, repeatable: true })
    const [, refused] = run(link, frame({ type: 'error', id: 1, error_id: 'not_found', detail: 'd' }))
    expect(refused).toEqual([{ do: 'settle', id: 1, errorId: 'not_found', detail: 'd', repeated: false }])
    const [, told] = run(link, frame({ type: 'error', error_id: 'forbidden', detail: 'd' }))
    expect(told).toEqual([{ do: 'refused', errorId: 'forbidden', detail: 'd' }])
  })
})

describe('a break of the line', () => {
  const busy = run(
    online({ kind: 'follow', topics: ['centre'] })[0], { kind: 'ask', ask: open, repeatable: true },
    { kind: 'ask', ask: take, repeatable: false },
    frame({ type: 'events', events: [{ seq: 42, at: '', type: 'receive', actor: 'citizen:', number: 'DG2' }] }),
  )[0]

  it('is mended by itself, later each time, never later than fifteen seconds', () => {
    const waits = Array.from({ length: 12 }, (_, attempts) => waitFor(attempts, 1))
    expect(waits[0]).toBe(500)
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(waits.at(-1)).toBe(15_000)
    expect(waitFor(5, 0)).toBeLessThan(waitFor(5, 1))
  })
  it('repeats what is safe to repeat, and says of the rest that it is not certain', () => {
    const [lost, effects] = run(busy, { kind: 'closed', code: 1006 })
    expect(lost.phase).toBe('waiting')
    expect(effects).toContainEqual({ do: 'settle', id: 2, errorId: 'connection_lost', repeated: false })
    const [back, more] = run(lost, ...again)
    expect(sent(more)).toEqual([
      { type: 'hello', ticket: 'T2', last_seq: 42 }, { type: 'follow', topics: ['centre'] }, { ...open, id: 1 },
    ])
    expect(more).toContainEqual({ do: 'online', again: true })
    expect(run(back, frame({ type: 'ok', id: 1 }))[1][0]).toMatchObject({ do: 'settle', id: 1, repeated: true })
  })
  it('keeps what was asked meanwhile until the line is back', () => {
    const [lost] = run(online()[0], { kind: 'closed', code: 1006 })
    const [waiting, none] = run(lost, { kind: 'ask', ask: take, repeatable: false })
    expect(sent(none)).toEqual([])
    expect(sent(run(waiting, ...again)[1]).at(-1)).toEqual({ ...take, id: 1 })
  })
  it('goes on from the pong where the topics were quiet, and never back', () => {
    const [link] = run(busy, frame({ type: 'pong', seq: 50, server_time: '' }), frame({ type: 'pong', seq: 49, server_time: '' }))
    expect(link.seq).toBe(50)
  })
  it('is begun anew where what was missed could not be read: nothing would be heard any more', () => {
    const [link, effects] = run(busy, frame({ type: 'error', error_id: 'unavailable', detail: 'd' }))
    expect(effects).toEqual([{ do: 'refused', errorId: 'unavailable', detail: 'd' }, { do: 'close' }])
    const [lost, more] = run(link, { kind: 'closed', code: 1000 })
    expect([lost.phase, lost.seq, more.at(-1)]).toMatchObject(['waiting', 42, { do: 'settle', errorId: 'connection_lost' }])
  })
  it('asks for snapshots where too much was missed', () => {
    expect(run(busy, frame({ type: 'too_old', seq: 99 }))).toEqual([{ ...busy, seq: 99 }, [{ do: 'refresh' }]])
  })
  it('is final where the session is over, and nothing waits in vain', () => {
    const [link, effects] = run(busy, frame({ type: 'bye', reason: 'session_ended' }), { kind: 'closed', code: 4403 })
    expect(link.phase).toBe('ended')
    expect(effects.filter((effect) => effect.do === 'settle')).toHaveLength(2)
    expect(effects.at(-1)).toEqual({ do: 'ended', reason: 'session_ended' })
    expect(run(link, { kind: 'retry' })).toEqual([link, []])
  })
  it('is final where somebody else has logged in at this browser: nothing that waits is done under their name', () => {
    const [waits] = run(busy, { kind: 'closed', code: 1006 }, { kind: 'follow', topics: ['agent:li'] }, { kind: 'ask', ask: take, repeatable: false })
    const other = frame({ ...welcome, staff: { ...staff, name: 'wang' } } as ServerFrame)
    const [link, effects] = run(waits, { kind: 'retry' }, { kind: 'opened', ticket: 'T2' }, other)
    expect([link.phase, link.requests, sent(effects)]).toEqual(['ended', [], [{ type: 'hello', ticket: 'T2', last_seq: 42 }]])
    expect(effects.filter((effect) => effect.do !== 'settle').slice(-2)).toEqual([{ do: 'close' }, { do: 'ended', reason: 'session_ended' }])
  })
  it('fetches a new ticket where the old one was late, and gives up where the session is gone', () => {
    const [link] = run(START, { kind: 'start' }, { kind: 'opened', ticket: 'T' })
    expect(run(link, { kind: 'closed', code: 4401 })[0].phase).toBe('waiting')
    expect(run(link, { kind: 'noTicket', final: true })[0].phase).toBe('ended')
    expect(run(link, { kind: 'noTicket', final: false })[0].phase).toBe('waiting')
  })
})
