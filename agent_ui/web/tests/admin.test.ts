// What administrators' pages decide by themselves: areas by role, standing, skills, calendars, cards; passwords and devices.
import { describe, expect, it } from 'vitest'
import { areaOf, areasOf } from '@/pages/admin/areas'
import { monthsOf, readLines, toggled } from '@/pages/admin/calendar'
import { tableOf } from '@/pages/admin/card'
import { day, exact, moment } from '@/pages/admin/moments'
import { marksOf, namedBy, stateOf } from '@/pages/admin/nuisance'
import { skillsIn, skillsOf, standingOf } from '@/pages/admin/people'
import { useDoing } from '@/pages/admin/useDoing'
import { deviceOf } from '@/pages/login/device'
import { strengthOf } from '@/pages/login/strength'

describe('areas', () => {
  it('of the three administrators are apart but for people and rights', () => {
    const [system, security, audit] = (['system_admin', 'security_admin', 'audit_admin'] as const).map((role) => new Set(areasOf(role)))
    expect([...system!].filter((one) => security!.has(one))).toEqual(['people'])
    expect([...security!].filter((one) => audit!.has(one))).toEqual(['access'])
    expect([...system!].filter((one) => audit!.has(one))).toEqual([])
  })
  it('of an address are the role’s own, else its first', () => {
    expect(areaOf('audit', 'system_admin')).toBe('people')
    expect(areaOf('models', 'system_admin')).toBe('models')
    expect(areaOf(undefined, 'agent')).toBeUndefined()
  })
})

describe('people', () => {
  const person = { active: true, wanted: '', locked_until: null as string | null }
  it.each([
    [{ ...person, wanted: 'agent', active: false }, 'proposed'], [{ ...person, active: false }, 'locked'],
    [{ ...person, locked_until: '2026-11-21T12:00:00Z' }, 'failures'], [person, 'active'],
  ])('stand as %j', (given, key) => expect(standingOf(given).key).toBe(key))
  it('read and write skills', () => {
    expect(skillsOf('general=1， enterprise = 3')).toEqual({ general: 1, enterprise: 3 })
    for (const wrong of ['general', 'general=0', 'general=6', '=1', 'a b=1']) expect(skillsOf(wrong), wrong).toBeNull()
    expect(skillsIn({ enterprise: 3, general: 1 })).toBe('general 1 · enterprise 3')
  })
})

describe('marks of nuisance', () => {
  const now = Date.parse('2026-11-21T12:00:00Z')
  const held = { until: '2026-12-01T00:00:00Z', lifted_at: null, lifted_by: '' }
  const ended = { ...held, until: '2026-11-21T12:00:00Z' }
  const lifted = { ...held, lifted_at: '2026-11-21T11:00:00Z', lifted_by: 'wang' }
  const replaced = { ...ended, lifted_at: ended.until, lifted_by: 'system' }
  it('hold until their time is over or somebody lifts them', () => {
    expect([held, ended, lifted, replaced].map((one) => stateOf(one, now))).toEqual(['held', 'ended', 'lifted', 'ended'])
    expect(marksOf([held, ended, lifted], 'held', now)).toEqual([held])
    expect(marksOf([held, ended, lifted], 'past', now)).toEqual([ended, lifted])
    expect(marksOf([held, ended, lifted], 'all', now)).toHaveLength(3)
  })
  it('are put by a ticket where a number is given, else by the contact', () => {
    expect(namedBy(' dg2026112130000427 ')).toEqual({ number: 'DG2026112130000427' })
    expect(namedBy('DG20261121310000001234')).toEqual({ number: 'DG20261121310000001234' })
    expect(['138-0013-8000', '+8613800138000', 'oAbcd1234567890123456'].map(namedBy)).toEqual([
      { contact: '138-0013-8000' }, { contact: '+8613800138000' }, { contact: 'oAbcd1234567890123456' },
    ])
  })
})

describe('calendar', () => {
  it('has every day of a year once, in its week', () => {
    for (const year of [2024, 2026, 2027, 2028]) {
      const months = monthsOf(year, [], [])
      const days = months.flatMap((one) => one.cells.map((cell) => cell.day))
      expect(new Set(days).size).toBe(year % 4 ? 365 : 366)
      for (const { blanks, cells } of months) expect(cells.every((cell, index) => cell.weekend === ((blanks + index) % 7 > 4))).toBe(true)
    }
  })
  it('turns a day round and back', () => {
    const find = (own: Parameters<typeof toggled>[0], day: string) => monthsOf(2027, [], own).flatMap((one) => one.cells).find((cell) => cell.day === day)!
    const off = toggled([], find([], '2027-02-08'), '')
    expect(off).toEqual([{ day: '2027-02-08', off: true, name: '' }])
    expect(find(off, '2027-02-08').kind).toBe('holiday')
    expect(toggled(off, find(off, '2027-02-08'), '')).toEqual([])
    expect(find(toggled([], find([], '2027-02-14'), ''), '2027-02-14').kind).toBe('makeUp')
  })
  it('reads lines and tells those that are wrong', () => {
    expect(readLines('2027-02-08,休,春节\n\n2027-02-14，班', 2027)).toEqual({
      days: [{ day: '2027-02-08', off: true, name: '春节' }, { day: '2027-02-14', off: false, name: '' }], wrong: [],
    })
    expect(readLines('2026-02-08,休\n2027-02-08,?\n2027-13-01,休\n2027-02-08,休\n2027-02-08,休', 2027).wrong).toEqual([1, 2, 3, 5])
  })
})

it('moments are told by China’s clock', () => {
  const now = new Date('2026-12-31T15:59:00Z')
  expect(['2026-11-21T16:23:05Z', '2026-11-21T23:59:00+08:00', '2026-12-31T16:00:00Z'].map((one) => moment(one, now)))
    .toEqual(['11-22 00:23', '11-21 23:59', '2027-01-01 00:00'])
  expect([exact('2026-11-21T16:23:05.7Z'), day('2026-11-21T16:23:05Z'), day('2026-11-21T15:59:59Z')])
    .toEqual(['2026-11-22 00:23:05', '2026-11-22', '2026-11-21'])
})

it('what is done by a button is told, and what went wrong too', async () => {
  const told: unknown[] = []
  const { busy, run } = useDoing((error) => told.push(error))
  const doing = run(() => Promise.resolve(expect(busy.value).toBe(true)))
  expect([await doing, busy.value, told]).toEqual([true, false, []])
  expect([await run(() => Promise.reject(new Error('no'))), busy.value, String(told[0])]).toEqual([false, false, 'Error: no'])
})

it('a card’s first table and its words', () => {
  expect(tableOf('# Card\n\n**What** `it` is.\n\n| a | b |\n|---|---|\n| x | 1 |\n')).toEqual({ head: ['a', 'b'], rows: [['x', '1']], texts: ['What it is.'] })
  expect(tableOf('')).toEqual({ head: [], rows: [], texts: [] })
})

it.each([
  ['', 'short'], ['short1A', 'short'], ['alllowercase', 'mix'], ['zhang-12345-A', 'name'], ['Aa1Aa1Aa1', 'name'],
  ['Another-Password-9', null], ['correct horse battery', null], ['lower and1', null],
] as const)('password %s', (password, found) => expect(strengthOf(password, 'zhang')).toBe(found))

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36', 'Chrome · Windows'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox · Linux'],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Mobile/15E148 Safari/604.1', 'Safari · iOS'],
  ['Python/3.11 aiohttp/3.14', 'Python'], ['', ''],
])('device %s', (agent, found) => expect(deviceOf(agent)).toBe(found))
