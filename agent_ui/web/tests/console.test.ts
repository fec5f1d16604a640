import { describe, expect, it } from 'vitest'
import type { CallNews, CallWords, Command, Event, Party, Summary, TicketEvent } from '../src/generated/frames'
import { FORMS } from '../src/generated/forms'
import zhConsole from '../src/i18n/zh/console'
import zhTerms from '../src/i18n/zh/terms'
import { heard, told, wayOf, type Calls } from '../src/pages/console/calls'
import { dispatching } from '../src/pages/console/dispatching'
import { asked, commandOf } from '../src/pages/console/fields'
import { givenOf, seenAfter, withSeen } from '../src/pages/console/given'
import { firstOf, isRinging, QUEUES } from '../src/pages/console/queues'
import { renewed, searchOf } from '../src/pages/console/search'
import { handoffOf, linesOf } from '../src/pages/console/talk'
import { Sorted } from '../src/shared/sorted'

const row = (number: string, more: Partial<Summary> = {}): Summary => ({
  number, version: 1, state: 'received', channel: 'web', title: number, kind: 'other', priority: 'P3', verdict: 'non_emergency',
  created_at: '2026-11-21T00:00:00Z', updated_at: '2026-11-21T00:00:00Z', ...more,
})
const event = (version: number, fact: object, role: TicketEvent['actor']['role'] = 'agent'): TicketEvent =>
  ({ version, at: `2026-11-21T00:00:0${version}Z`, actor: { role, name: 'li' }, fact } as TicketEvent)

describe('a list kept sorted', () => {
  it('is what sorting would make of it, whatever comes and goes', () => {
    const sorted = new Sorted<{ n: number }>((one, other) => one.n - other.n)
    let kept: { n: number }[] = []
    let seed = 7
    const random = (): number => (seed = (seed * 48271) % 2147483647) / 2147483647
    for (let step = 0; step < 3000; step += 1) {
      const gone = random() < 0.4 && kept.length ? kept[Math.floor(random() * kept.length)]! : null
      if (gone) {
        expect(sorted.remove(gone)).toBe(true)
        kept = kept.filter((one) => one !== gone)
      } else {
        const one = { n: Math.floor(random() * 50) }
        sorted.add(one)
        kept.push(one)
      }
    }
    expect(sorted.items().map((one) => one.n)).toEqual(kept.map((one) => one.n).sort((a, b) => a - b))
    expect(sorted.remove({ n: 1 })).toBe(false)
  })
})

describe('queues', () => {
  it('put danger first, then priority, then what is due, then who has waited longest', () => {
    const rows = [
      row('late', { created_at: '2026-11-20T00:00:00Z' }), row('due', { due: '2026-11-22T00:00:00Z' }), row('P1', { priority: 'P1' }),
      row('unclear', { verdict: 'unclear' }), row('fire', { verdict: 'emergency' }), row('sooner', { due: '2026-11-21T00:00:00Z' }), row('same'),
    ]
    expect([...rows].sort(firstOf).map((one) => one.number)).toEqual(['fire', 'unclear', 'P1', 'sooner', 'due', 'late', 'same'])
  })
  it('have a word each, and every state of the centre has a queue', () => {
    expect(QUEUES.map((queue) => queue.id).filter((id) => !(id in zhConsole.queue))).toEqual([])
    for (const state of ['received', 'need_info', 'pending_dispatch', 'return_requested', 'arbitration', 'pending_review', 'answered', 'pending_follow_up', 'redo']) {
      expect(QUEUES.some((queue) => queue.topic === 'centre' && queue.shows(row('x', { state }))), state).toBe(true)
    }
  })
  it('ring for a chat that nobody has taken', () => {
    expect(isRinging(row('x', { chat: true }))).toBe(true)
    expect(isRinging(row('x', { chat: true, agent: 'li' }))).toBe(false)
    expect(isRinging(row('x'))).toBe(false)
  })
})

describe('a conversation', () => {
  const events = [
    event(1, { type: 'receive', appeal: { text: '路灯坏了', attachments: [{ key: 'k', name: 'a.jpg', media_type: 'image/jpeg', size: 1 }] } }, 'citizen'),
    event(2, { type: 'hand_off', services: ['110'] }), event(3, { type: 'add_message', text: '在哪里', inbound: false }),
    event(4, { type: 'add_message', text: '体育路' }, 'citizen'), event(5, { type: 'add_note', text: '急' }), event(6, { type: 'show_light' }),
    event(7, { type: 'acknowledge_incident', incident: 'J1' }, 'police'), event(8, { type: 'reply', internal: '内部', public: '修好了' }, 'department'),
  ]
  it('tells who said what, and never the internal part of a reply as said to the citizen', () => {
    expect(linesOf(events).map((line) => `${line.side}:${line.text}`)).toEqual([
      'citizen:路灯坏了', 'step:', 'us:在哪里', 'citizen:体育路', 'note:急', 'step:J1', 'us:修好了',
    ])
    expect(linesOf(events)[0]!.attachments).toHaveLength(1)
  })
  it('knows how the hand-over to 110 stands', () => {
    expect(handoffOf(events.slice(0, 1)).state).toBe('none')
    expect(handoffOf(events.slice(0, 3)).state).toBe('sent')
    expect(handoffOf(events)).toMatchObject({ state: 'acknowledged', incident: 'J1', services: ['110'] })
    expect(handoffOf([...events, event(9, { type: 'police_return' }, 'police')]).state).toBe('returned')
  })
})

describe('commands', () => {
  it('have a word for each, for each field, and for each choice', () => {
    const terms = zhTerms as Record<string, Record<string, string>>
    for (const command of Object.keys(FORMS)) {
      expect(terms.command![command], command).toBeTruthy()
      for (const field of asked(command)) {
        expect(terms.field![field.name], `${command}.${field.name}`).toBeTruthy()
        if (field.words) for (const option of field.options) expect(terms[field.words]![option], `${field.words}.${option}`).toBeTruthy()
      }
    }
  })
  it('are sent without what was left empty, and not at all while something needed is missing', () => {
    expect(commandOf('reply', { internal: ' a ', public: '' })).toBeNull()
    expect(commandOf('reply', { internal: ' a ', public: 'b' })).toEqual({ type: 'reply', internal: 'a', public: 'b' })
    expect(commandOf('accept', {})).toEqual({ type: 'accept' })
  })
  it('never say for the citizen whether it is solved', () => {
    const settled = { type: 'settle_follow_up', rating: 'very_dissatisfied' }
    expect(asked('settle_follow_up').find((field) => field.name === 'solved')?.options).toEqual(['yes', 'no', 'unsaid'])
    expect(commandOf('settle_follow_up', { rating: 'very_dissatisfied' })).toEqual({ ...settled, solved: null })
    expect(commandOf('settle_follow_up', { rating: 'very_dissatisfied', solved: 'no' })).toEqual({ ...settled, solved: false })
    expect(commandOf('dispute_follow_up', { rating: 'dissatisfied' })).toEqual({ type: 'dispute_follow_up', rating: 'dissatisfied', solved: null })
    expect(commandOf('settle_follow_up', { rating: 'very_dissatisfied', solved: 'yes' })).toEqual({ ...settled, solved: true })
  })
  it('dispatch with the reasons of the directory only where it was followed; a new ticket is accepted first', () => {
    const proposal = { lead: '城管局', assisting: [], reasons: ['r'], directory_version: 'v', sure: true }
    const types = (commands: Command[]): string[] => commands.map((one) => one.type)
    expect(types(dispatching(['accept'], { lead: '城管局', assisting: [] }, proposal))).toEqual(['accept', 'dispatch'])
    expect(dispatching(['dispatch'], { lead: '城管局', assisting: ['城管局', '南城'] }, proposal)[0]).toEqual(
      { type: 'dispatch', lead: '城管局', assisting: ['南城'], reasons: ['r'], directory_version: 'v' })
    expect(dispatching(['dispatch'], { lead: '水务局', assisting: [] }, proposal)[0]).toEqual({ type: 'dispatch', lead: '水务局', assisting: [] })
    expect(types(dispatching(['redispatch'], { lead: '水务局', assisting: [] }, null))).toEqual(['redispatch'])
    expect(dispatching(['close'], { lead: '水务局', assisting: [] }, null)).toEqual([])
    expect(dispatching(['dispatch'], { lead: '', assisting: [] }, proposal)).toEqual([])
  })
})

it('searches by what was typed: a number, a telephone, or words', () => {
  expect(searchOf(' dg2026112130000017 ')).toEqual({ type: 'search', number: 'DG2026112130000017' })
  expect(searchOf('ＤＧ２０２６１１２１３０００００１７')).toEqual({ type: 'search', number: 'DG2026112130000017' })
  expect(searchOf('138 0013 8000')).toEqual({ type: 'search', phone: '138 0013 8000' })
  expect(searchOf('路灯 南城')).toEqual({ type: 'search', text: '路灯 南城' })
})

it('shows of what was found how it stands now, in its place, and nothing that was not found or is older', () => {
  const found = [row('A'), row('B', { version: 3 })]
  const now = renewed(found, row('A', { version: 2, state: 'merged' }))
  expect(now?.map((one) => [one.number, one.state])).toEqual([['A', 'merged'], ['B', 'received']])
  expect(renewed(found, row('B', { version: 2, state: 'merged' }))).toBe(found)
  expect(renewed(found, row('C', { version: 9 }))).toBe(found)
  expect(renewed(null, row('A'))).toBeNull()
})

it('replaces a sentence that was not final, keeps one that was, and keeps the order of the talk', () => {
  const one = (n: number, text: string, final = true): CallWords => ({ call: 'c', n, side: 'citizen', text, final })
  const words = [one(2, '乙', false), one(1, '甲'), one(2, '乙乙'), one(1, '改'), one(2, '丙')].reduce(heard, [] as readonly CallWords[])
  expect(words.map((word) => word.text)).toEqual(['甲', '乙乙'])
})

describe('the calls at a desk', () => {
  const NONE: Calls = { own: null, asked: null }
  const card = { phone: '+86138****5678' }
  const parties = (...more: Party[]): Party[] => [{ role: 'citizen', up: true }, ...more]
  const agent = (name: string): Party => ({ role: 'agent', name, up: true })
  const colleague: Party = { role: 'party', name: 'li' }
  const news = (more: Partial<CallNews>): CallNews => ({ call: 'c', phase: 'talking', agent: 'wang', arrived: '2026-11-21T00:00:00Z', ...more })
  const asking = news({ colleague: 'li', parties: parties(agent('wang'), colleague), card })

  it('show who is asked who calls, from the first ring on, without the call being theirs', () => {
    const rung = told(NONE, asking, 'li')
    expect(rung.own).toBeNull()
    expect(rung.asked).toMatchObject({ agent: 'wang', card })
    const up = told(rung, { ...asking, parties: parties(agent('wang'), { ...colleague, up: true }), card: null }, 'li')
    expect(up.asked?.card, 'who calls is told once').toEqual(card)
    expect(told(up, { ...asking, phase: 'over', parties: [] }, 'li')).toEqual(NONE)
    expect(told(up, { ...asking, parties: parties(agent('wang')) }, 'li')).toEqual(NONE)
    expect(told(up, { ...asking, call: 'another', phase: 'over', parties: [] }, 'li'), 'what is over for another call').toEqual(up)
  })
  it('make it their own when it is handed over, and it is gone from who handed it', () => {
    const asked = told(NONE, asking, 'li')
    const own = news({ agent: 'li', parties: parties(agent('li')) })
    expect(told(asked, own, 'li')).toEqual({ own: { ...own, card }, asked: null })
    const mine = told(NONE, news({ parties: parties(agent('wang')), card }), 'wang')
    expect(mine.own?.card).toEqual(card)
    expect(told(mine, news({ phase: 'over', parties: parties(agent('li')) }), 'wang')).toEqual(NONE)
    expect(told(mine, news({ parties: parties(colleague) }), 'wang')).toEqual(NONE)
  })
  it('are not touched by what others are told: an alarm of their call, or a colleague of theirs', () => {
    const mine = told(NONE, news({ parties: parties(agent('wang')) }), 'wang')
    expect(told(mine, { ...asking, call: 'd' }, 'wang').asked).toBeNull()
    expect(told(mine, news({ call: 'd', agent: 'zhao', parties: parties(agent('zhao')), alarm: '110' }), 'wang')).toEqual(mine)
  })
  it('tell how one is asked, by what is so now', () => {
    expect(wayOf(news({ transferring: true, parties: parties(agent('wang'), colleague) }))).toBe('transfer')
    expect(wayOf(news({ parties: [{ role: 'citizen', up: true, away: true }, agent('wang'), colleague] }))).toBe('consult')
    expect(wayOf(news({ parties: [agent('wang'), colleague] })), 'the citizen has left').toBe('consult')
    expect(wayOf(asking)).toBe('conference')
  })
})

describe('chats that were given', () => {
  const NOBODY: ReadonlySet<string> = new Set()
  const mine = (number: string, more: Partial<Summary> = {}): Summary => row(number, { chat: true, agent: 'li', ...more })
  const done = (type: string, actor: string, summary: Summary): Event =>
    ({ seq: 1, at: '2026-11-21T00:00:00Z', type, actor, number: summary.number, summary })
  const given = (number: string): Event => done('claim', 'system:', mine(number))
  const numbers = (rows: readonly Summary[], seen: ReadonlySet<string>): string[] => givenOf(rows, seen).map((one) => one.number)

  it('ring until they are opened, the longest waiting first', () => {
    const rows = [mine('b', { created_at: '2026-11-21T00:01:00Z' }), mine('a'), row('no chat', { agent: 'li' })]
    expect(numbers(rows, NOBODY)).toEqual(['a', 'b'])
    expect(numbers(rows, withSeen(NOBODY, 'a'))).toEqual(['b'])
  })
  it('ring no more once they are answered, wait for others, or are over', () => {
    for (const state of ['need_info', 'answered', 'pending_sign', 'handling', 'closed', 'withdrawn']) expect(numbers([mine('a', { state })], NOBODY)).toEqual([])
    expect(numbers([mine('a')], seenAfter(NOBODY, done('add_message', 'agent:li', mine('a')), 'li', ''))).toEqual([])
  })
  it('do not ring where the agent took them by hand, at this desk or another', () => {
    expect(numbers([mine('a')], seenAfter(NOBODY, done('claim', 'agent:li', mine('a')), 'li', ''))).toEqual([])
    expect(numbers([mine('a')], seenAfter(NOBODY, done('claim', 'supervisor:boss', mine('a')), 'li', ''))).toEqual(['a'])
  })
  it('ring again when they come back, though they were looked at before; not while they are open', () => {
    const seen = withSeen(NOBODY, 'a')
    expect(numbers([mine('a')], seenAfter(seen, given('a'), 'li', ''))).toEqual(['a'])
    expect(numbers([mine('a')], seenAfter(seen, given('a'), 'li', 'a'))).toEqual([])
    for (const other of [given('b'), done('claim', 'system:', mine('a', { agent: 'zhao' })), done('supply_info', 'citizen:', mine('a'))]) {
      expect(seenAfter(seen, other, 'li', '')).toBe(seen)
    }
    expect(numbers([mine('a')], seenAfter(seenAfter(NOBODY, given('a'), 'li', ''), given('a'), 'li', '')), 'told twice').toEqual(['a'])
  })
  it('are remembered as looked at in a bounded way', () => {
    let seen = NOBODY
    for (let n = 0; n < 1000; n += 1) seen = withSeen(seen, `n${n}`)
    expect(seen.size).toBe(500)
    expect(seen.has('n999')).toBe(true)
  })
})
