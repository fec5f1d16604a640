// What the board decides by itself: values and goals, stages, alarms' order, the heat map's grid, questions of reports.
import { describe, expect, it } from 'vitest'
import type { Callback, Summary } from '../src/generated/frames'
import zhBoard from '../src/i18n/zh/board'
import { alarmsOf } from '../src/pages/board/alarms'
import { chartOf as heatChart, gridOf } from '../src/pages/board/heat'
import { dayBefore, goalOf, heatOf, secondsIn, stagesOf, toneOf, valueOf, type Board, type Figure } from '../src/pages/board/numbers'
import { chartOf, drillOf, partsOf, queryOf, type Asked } from '../src/pages/board/report'

const figure = (given: Partial<Figure>): Figure => ({ part: '', figure: 'sign', label: '', numerator: 0, ...given }) as Figure
const asked: Asked = { from: '2026-11-15', to: '2026-11-21', by: 'day', department: '', town: '南城', channel: '', kind: '' }

describe('numbers', () => {
  it('are told with their unit, or as a dash', () => {
    expect([undefined, figure({ unit: 'ratio' }), figure({ unit: 'ratio', value: 0.9624 }), figure({ unit: 'seconds', value: 8.38 }), figure({ numerator: 1234 })]
      .map((one) => valueOf(one, 'zh'))).toEqual(['–', '–', '96.2%', '8.4s', '1,234'])
    expect([9, 60, 100, 3599, 3700, 200_000].map(secondsIn)).toEqual(['9s', '60s', '1m 40s', '59m 59s', '1h 1m', '2d 7h'])
  })
  it('are judged only against a goal', () => {
    expect(goalOf(figure({ unit: 'ratio', goal: 0.95 }))).toBe('≥ 95%')
    expect(goalOf(figure({ unit: 'seconds', goal: 15 }))).toBe('≤ 15s')
    expect([toneOf(null), toneOf(undefined), toneOf(true), toneOf(false)]).toEqual(['plain', 'plain', 'good', 'bad'])
  })
  it('know the days before', () => {
    expect(dayBefore('2026-03-01', 1)).toBe('2026-02-28')
    expect([heatOf(0, 9), heatOf(9, 9), heatOf(1, 0)]).toEqual([0, 1, 0])
  })
  it('add states up to stages', () => {
    const standing = [{ state: 'received', label: '', tickets: 2, late: 1 }, { state: 'pending_dispatch', label: '', tickets: 3, late: 0 }, { state: 'closed', label: '', tickets: 9, late: 0 }]
    const stages = stagesOf({ standing } as unknown as Board)
    expect(stages[0]).toMatchObject({ name: 'accept', tickets: 5, late: 1 })
    expect(stages.slice(1).every((stage) => stage.tickets === 0)).toBe(true)
  })
})

it('alarms come unseen first, danger before the rest, the newest before', () => {
  const row = (number: string, alarms: string[], seen: string[], at: string): Summary =>
    ({ number, alarms, alarms_seen: seen, updated_at: at, title: '' }) as unknown as Summary
  const found = alarmsOf(
    [row('A', ['hot_spot'], [], '2'), row('B', ['incident_unacknowledged', 'dissatisfied'], ['dissatisfied'], '1'), row('C', ['hot_spot'], [], '3')],
    [{ id: 7, missed_at: '2', state: 'owed', late: true } as unknown as Callback, { id: 8, missed_at: '9', state: 'assigned' } as unknown as Callback],
  )
  expect(found.map((alarm) => alarm.key)).toEqual(['callback.7', 'B.incident_unacknowledged', 'C.hot_spot', 'A.hot_spot', 'callback.8', 'B.dissatisfied'])
})

describe('the heat map', () => {
  const heat = {
    first: '', last: '', l1: '', towns: ['南城', '虎门', '长安'], categories: [{ code: '03', name: '城管' }, { code: '04', name: '环境' }],
    cells: [{ town: '虎门', category: '03', appeals: 4 }, { town: '南城', category: '03', appeals: 1 }, { town: '', category: '04', appeals: 7 }],
  }
  it('shows the towns with most first, and keeps apart what has no town', () => {
    const grid = gridOf(heat)
    expect(grid).toMatchObject({
      towns: ['虎门', '南城', ''], appeals: [[4, 0], [1, 0], [0, 7]], rows: [4, 1, 7], columns: [5, 7], most: 4, nowhere: 7, total: 12,
    })
    const { series, yAxis } = heatChart(grid, { category: '?', town: '-' }) as { series: { data: number[][] }[]; yAxis: { data: string[] } }
    expect(series[0]!.data).toEqual([[0, 0, 4, 1], [1, 0, 0, 0], [0, 1, 1, 0.5], [1, 1, 0, 0], [0, 2, 0, 0], [1, 2, 7, 1]])
    expect(yAxis.data.at(-1)).toBe('-')
    const placed = gridOf({ ...heat, cells: heat.cells.slice(0, 2) })
    expect([placed.towns, placed.most, placed.nowhere]).toEqual([['虎门', '南城'], 4, 0])
  })
})

describe('reports', () => {
  it('leave out what narrows nothing, and what cannot be narrowed', () => {
    expect(queryOf(asked)).toEqual({ from: '2026-11-15', to: '2026-11-21', by: 'day', town: '南城' })
    expect(queryOf({ ...asked, by: 'agent' })).toEqual({ from: '2026-11-15', to: '2026-11-21', by: 'agent' })
  })
  it('order time as it passes and others by size', () => {
    const parts = [figure({ part: 'b', figure: 'received', numerator: 9 }), figure({ part: 'a', figure: 'received', numerator: 1 })]
    expect(partsOf(parts, 'day', 'volume')).toEqual(['a', 'b'])
    expect(partsOf(parts, 'town', 'volume')).toEqual(['b', 'a'])
  })
  it('lead from a ratio to what misses it, from calls to calls', () => {
    const ratio = drillOf(asked, figure({ part: '2026-11-20', unit: 'ratio', numerator: 4, denominator: 12 }), 't', '')
    expect(ratio).toMatchObject({ of: 'figure', value: 8, query: { figure: 'sign', part: '2026-11-20', side: 'miss', town: '南城' } })
    expect(drillOf(asked, figure({ figure: 'returned', unit: 'ratio', numerator: 2, denominator: 9 }), 't', '')).toMatchObject({ value: 2, query: { side: 'num' } })
    expect(drillOf(asked, figure({ figure: 'asa', part: '2026-11-20', unit: 'seconds' }), 't', 'answered')).toMatchObject({ of: 'calls', query: { from: '2026-11-20', to: '2026-11-20', side: 'answered' } })
    expect(drillOf({ ...asked, by: 'agent' }, figure({ figure: 'asa', unit: 'seconds' }), 't', 'answered')).toBeNull()
  })
  it('draw a line over time and bars of the largest', () => {
    const lines = Array.from({ length: 30 }, (_, n) => ({ name: String(n), value: n === 3 ? null : n }))
    expect((chartOf('day', lines, false, null).series as { data: unknown[] }[])[0]!.data).toHaveLength(30)
    expect((chartOf('town', lines, false, 0.9).series as { data: unknown[] }[]).map((one) => one.data.length)).toEqual([20, 20])
  })
})

it('calls what 110 has not taken yet by the word of its alarm, not by that for signing, which comes after', () => {
  expect(zhBoard.incidents).toContain('未确认接收')
  expect([zhBoard.alarm.incident_unacknowledged.includes('未确认接收'), zhBoard.alarm.incident_unsigned.includes('未签收')]).toEqual([true, true])
})
