// What the desk decides by itself: tabs, forms, personal data in what the public reads.
import { describe, expect, it } from 'vitest'
import type { Summary, Ticket } from '../src/generated/frames'
import { ACTS, commandOf, filesOf, missing, possible, wasLate } from '../src/pages/desk/acts'
import { isCard, personalIn } from '../src/pages/desk/personal'
import { belongs, byUrgency, countsOf, rowsOf, TABS } from '../src/pages/desk/tabs'

const NOW = Date.parse('2026-11-21T04:00:00Z')
const row = (given: Partial<Summary>): Summary => ({
  number: 'DG1', version: 1, state: 'handling', channel: 'web', title: '路灯不亮', kind: 'complaint', priority: 'P3', verdict: 'non_emergency',
  created_at: '2026-11-20T00:00:00Z', updated_at: '2026-11-20T00:00:00Z', lead: '城管局', town: '南城', ...given,
})

describe('tabs', () => {
  const rows = [
    row({ number: 'A', state: 'pending_sign', due: '2026-11-21T03:00:00Z' }),
    row({ number: 'B', due: '2026-11-21T05:00:00Z', lights: ['sign_yellow'] }),
    row({ number: 'C', due: '2026-11-25T00:00:00Z', lights: ['sign_yellow', 'sign_red'] }),
    row({ number: 'D', state: 'pending_review', due: null }),
    row({ number: 'E', lead: '水务局', assisting: ['城管局'], due: '2026-11-20T00:00:00Z' }),
    row({ number: 'F', state: 'closed' }),
  ]
  it('hold what they say, and nothing of others', () => {
    const under = (tab: (typeof TABS)[number]): string[] => rowsOf(rows, { tab, unit: '城管局', now: NOW, words: '' }).map((one) => one.number)
    expect(TABS.map((tab) => [tab, under(tab)])).toEqual([
      ['sign', ['A']], ['due', ['B']], ['overdue', ['A']], ['handling', ['B', 'C']], ['waiting', ['D']], ['assist', ['E']],
    ])
    expect(countsOf(rows, '城管局', NOW)).toEqual({ sign: 1, due: 1, overdue: 1, handling: 2, waiting: 1, assist: 1 })
    expect(TABS.some((tab) => belongs(tab, rows[5]!, '城管局', NOW))).toBe(false)
  })
  it('put first what expires first, whatever zone its time is told in', () => {
    const dues = ['2026-11-21T09:00:00+08:00', '2026-11-21T02:00:00Z', '2026-11-21T12:00:00+08:00', null]
    expect(dues.map((due) => row({ due })).reverse().sort(byUrgency).map((one) => one.due)).toEqual(dues)
    const oldest = ['2026-11-20T10:00:00+08:00', '2026-11-20T03:00:00Z'].map((created_at) => row({ created_at, due: null }))
    expect(oldest.toReversed().sort(byUrgency)).toEqual(oldest)
  })
  it('are searched by every word', () => {
    expect(rowsOf(rows, { tab: 'handling', unit: '城管局', now: NOW, words: '路灯 南城 b' }).map((one) => one.number)).toEqual(['B'])
  })
})

describe('acts', () => {
  it('are those that the service offers, each with a key of its own', () => {
    expect(possible(['reply', 'sign', 'close']).map((act) => act.type)).toEqual(['sign', 'reply'])
    expect(new Set(ACTS.map((act) => act.key)).size).toBe(ACTS.length)
  })
  it('say what is missing, and send what was given', () => {
    const reply = ACTS.find((act) => act.type === 'reply')!
    expect(missing(reply, { public: ' ', internal: '', attachments: [] })).toEqual(['public', 'internal'])
    const values = { public: ' 已修好 ', internal: '换灯', attachments: [] }
    expect(missing(reply, values)).toEqual([])
    expect(commandOf(reply, values)).toEqual({ type: 'reply', public: '已修好', internal: '换灯' })
  })
  it('list every file once', () => {
    const file = { key: 'k', name: 'a.jpg', media_type: 'image/jpeg', size: 1 }
    const ticket = { appeal: { text: '', attachments: [file] } } as unknown as Ticket
    expect(filesOf(ticket, [{ fact: { type: 'attach', attachments: [file, { ...file, key: 'l' }] } }] as never)).toHaveLength(2)
  })
})

describe('a clock that was stopped', () => {
  const clock = (done: string | null) => ({ name: 'completion' as const, due: '2026-11-21T18:00:00+08:00', done })
  it('is late by the moment, not by how its zone is written', () => {
    expect(wasLate(clock('2026-11-21T10:00:01Z'))).toBe(true)
    expect(wasLate(clock('2026-11-21T10:00:00Z'))).toBe(false)
    expect(wasLate(clock('2026-11-21T17:59:59+08:00'))).toBe(false)
    expect(wasLate(clock(null))).toBe(false)
  })
})

describe('personal data', () => {
  it('is told apart into what is refused and what is doubtful', () => {
    const found = personalIn('陈先生13812345678,身份证441900199001011234,卡6222021234567890128,粤S12345,3栋502室,a@b.cn,电话0769-22222222')
    expect(found.filter((one) => one.certain).map((one) => one.kind)).toEqual(['identity', 'phone', ...(isCard('6222021234567890128') ? ['card'] : [])])
    expect(found.filter((one) => !one.certain).map((one) => one.kind).sort()).toEqual(['door', 'mail', 'person', 'plate'])
  })
  it('leaves numbers alone that are none', () => {
    expect(personalIn('工单号DG2026112150004022,共12345678901件,限期3个工作日')).toEqual([])
    expect(isCard('4111111111111111')).toBe(true)
    expect(isCard('4111111111111112')).toBe(false)
  })
})
