// What was heard in a call is of that call: it is not pushed to 110 with the ticket of somebody else.
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { CallNews, Service, Ticket } from '../src/generated/frames'
import { Problem } from '../src/http/problem'
import { handingOf } from '../src/pages/console/calls'
import { silentDesks } from '../src/shared/silent'
import { standin } from './standin'

const alarms = vi.hoisted(() => [] as unknown[])
vi.mock('../src/link', async () => (await import('./standin')).module)
vi.mock('../src/http/notice', () => ({ tell: vi.fn(), underWay: vi.fn(), alarm: (...told: unknown[]) => alarms.push(told) }))
const { useCalls } = await import('../src/pages/console/useCalls')

const news = (call: string, more: Partial<CallNews> = {}): CallNews =>
  ({ call, phase: 'talking', agent: 'li', arrived: '2026-11-22T08:00:00Z', parties: [{ role: 'agent', name: 'li', up: true }], ...more })
const over = (call: string): CallNews => news(call, { phase: 'over', parties: [] })

describe('words of danger', () => {
  const NOTHING = { alarm: '', services: [] }
  const desk = (): ReturnType<typeof useCalls> => standin.run(() => useCalls())
  afterEach(() => standin.reset())

  it('are those of the call that goes on, and gone when it ends', async () => {
    const calls = desk()
    await standin.tell('call', news('a', { alarm: '有人拿刀' }))
    expect([calls.alarm.value, calls.dangerFor('')]).toEqual(['有人拿刀', { alarm: '有人拿刀', services: [] }])
    await standin.tell('call', over('a'))
    expect([calls.alarm.value, calls.dangerFor('')]).toEqual(['', null])
    await standin.tell('call', news('b'))
    expect(calls.dangerFor('')).toEqual(NOTHING)
  })
  it('concern no ticket but those that were written of the call, or for which it was dialled', async () => {
    const calls = desk()
    await standin.tell('call', news('a', { alarm: '着火', number: 'DG9' }))
    await standin.tell('transcript', { call: 'a', n: 1, side: 'citizen', text: '着火了', suggestion: { services: ['119'] } })
    expect(calls.dangerFor('DG1')).toBeNull()
    calls.wrote('DG1', 'a')
    calls.wrote('DG2', 'an earlier call')
    expect(calls.dangerFor('DG1')).toEqual({ alarm: '着火', services: ['119'] })
    expect([calls.dangerFor('DG9'), calls.dangerFor('DG2')]).toEqual([{ alarm: '着火', services: ['119'] }, null])
    await standin.tell('call', over('a'))
    await standin.tell('call', news('b', { alarm: '落水' }))
    expect(calls.dangerFor('DG1')).toBeNull()
  })
})

it('an emergency desk that does not pick up is told to the agent of the call and to supervisors, to nobody else', async () => {
  const calls = standin.run(() => useCalls())
  const silent = (agent: string, call: string): CallNews => news(call, { agent, unanswered: ['110'] })
  await standin.tell('call', silent('wang', 'b'))
  expect(alarms).toEqual([])
  standin.link.staff.role = 'supervisor'
  await standin.tell('call', news('b', { agent: 'wang', alarm: '着火' }))
  await standin.tell('call', silent('wang', 'b'))
  expect(alarms).toEqual([['console.call.silentElsewhere', { name: 'wang', desks: '110' }]])
  await standin.tell('call', silent('li', 'a'))
  expect([alarms.length, silentDesks(calls.call.value?.unanswered)]).toEqual([1, '110'])
  expect(silentDesks(['110', '120', '110'])).toBe('110 ×2、120')
  standin.link.staff.role = 'agent'
  standin.reset()
})

it('who talks is at work though they touch nothing, and nobody else', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  standin.run(() => useCalls())
  await standin.tell('call', news('a', { phase: 'ringing' }))
  vi.advanceTimersByTime(120_000)
  expect(standin.link.touched).toBe(0)
  await standin.tell('call', news('a'))
  vi.advanceTimersByTime(120_000)
  expect(standin.link.touched).toBe(2)
  await standin.tell('call', over('a'))
  vi.advanceTimersByTime(120_000)
  expect(standin.link.touched).toBe(2)
  standin.reset()
  vi.useRealTimers()
})

it('a hand-over begins with what its ticket tells, else with what was heard of it, else with 110', () => {
  const ticket = (services: Service[], found: Service[], ...words: string[]): Ticket =>
    ({ services, triage: { services: found, evidence: words.map((text) => ({ rule: 'r', text })) } } as unknown as Ticket)
  const heard = { alarm: '着火', services: ['119'] as Service[] }
  expect(handingOf(ticket(['120'], ['110'], '晕倒', '没有呼吸'), heard)).toEqual({ services: ['120'], reason: '晕倒、没有呼吸' })
  expect(handingOf(ticket([], ['122'], '追尾'), heard)).toEqual({ services: ['122'], reason: '追尾' })
  expect(handingOf(ticket([], []), heard)).toEqual({ services: ['119'], reason: '着火' })
  expect(handingOf(ticket([], []), null)).toEqual({ services: ['110'], reason: '' })
  expect(handingOf(null, heard)).toEqual({ services: ['119'], reason: '着火' })
})

describe('what is read back when the line returns', () => {
  afterEach(() => standin.reset())
  const back = (): void => standin.returns.forEach((one) => one())

  it('does not hide a call that rings since it was asked for', async () => {
    const calls = standin.run(() => useCalls())
    await standin.of('call_card')[0]!.answer()
    back()
    await standin.tell('call', news('a', { phase: 'ringing' }))
    await standin.of('call_card')[1]!.answer() // asked before it rang: there is none
    expect([calls.call.value?.call, calls.ringing.value]).toEqual(['a', true])
    await standin.of('call_card').at(-1)!.answer({ news: news('a', { phase: 'ringing' }) })
    expect(calls.ringing.value).toBe(true)
  })
  it('is asked for again where the service could not tell: a call that ended meanwhile does not stay', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const answered = (more: Promise<void>): Promise<unknown> => Promise.all([more, vi.advanceTimersByTimeAsync(0)])
    const calls = standin.run(() => useCalls())
    await answered(standin.tell('call', news('a')))
    back()
    const asked = standin.of('call_card').length
    await answered(standin.of('call_card').at(-1)!.refuse(new Problem({ errorId: 'unavailable' })))
    await vi.advanceTimersByTimeAsync(60_000)
    expect(standin.of('call_card').length).toBe(asked + 1)
    await answered(standin.of('call_card').at(-1)!.answer())
    expect(calls.call.value).toBeNull()
    vi.useRealTimers()
  })
})
