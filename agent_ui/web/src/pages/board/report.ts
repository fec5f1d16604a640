// Historical figures as a table and a chart: columns by group, rows by part, questions as the service reads them. Pure.
import { denOf, figureIn, numOf, TELEPHONE, type Drill, type Figure } from './numbers'

export const BYS = ['total', 'day', 'month', 'hour', 'department', 'town', 'channel', 'l1', 'category', 'kind', 'agent'] as const
export type By = (typeof BYS)[number]
export const GROUPS = {
  volume: ['received', 'emergencies', 'dispatched', 'answered', 'handed_off', 'rejected', 'withdrawn', 'merged', 'closed', 'urged', 'supervised', 'extended'],
  quality: [
    'direct', 'sign', 'contact', 'completion', 'followed_up', 'solved', 'satisfied', 'one_pass', 'returned', 'redone', 'accurate', 'duration', 'chat_answered',
  ],
  phone: ['connected', 'service_level', 'asa', 'abandoned', 'called_back', 'aht', 'occupancy'],
} as const
export type Group = keyof typeof GROUPS
const IN_TIME: ReadonlySet<string> = new Set(['day', 'month', 'hour'])

export interface Asked {
  from: string
  to: string
  by: By
  department: string
  town: string
  channel: string
  kind: string
}

/** The query of a question: what narrows nothing is left out, and what cannot be narrowed is not. */
export function queryOf(asked: Asked): Record<string, string> {
  const { department, town, channel, kind } = asked
  const narrowed = asked.by === 'hour' || asked.by === 'agent' ? {} : { department, town, channel, kind }
  const all = { from: asked.from, to: asked.to, by: asked.by, ...narrowed }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value))
}

/** Parts in order: those of time as they pass, others by the first figure, the largest first. */
export function partsOf(figures: readonly Figure[], by: By, group: Group): string[] {
  const parts = [...new Set(figures.map((one) => one.part))]
  if (IN_TIME.has(by)) return parts.sort()
  const first = group === 'volume' ? 'received' : group === 'quality' ? 'dispatched' : 'connected'
  const size = (part: string): number => {
    const found = figureIn(figures, first, part)
    return denOf(found) || numOf(found)
  }
  return parts.sort((one, other) => size(other) - size(one) || one.localeCompare(other))
}

/** Where a cell leads: a volume to its tickets, a ratio to what misses it, a telephone figure to calls. */
export function drillOf(asked: Asked, figure: Figure, title: string, callSide: string): Drill | null {
  if (TELEPHONE.has(figure.figure)) {
    if (!callSide || asked.by !== 'total' && asked.by !== 'day') return null
    const day = asked.by === 'day' ? { from: figure.part, to: figure.part } : { from: asked.from, to: asked.to }
    return { of: 'calls', title, value: 0, query: { ...day, side: callSide } }
  }
  const side = !figure.unit ? 'num' : figure.figure === 'duration' ? 'den' : BETTER_LOW.has(figure.figure) ? 'num' : 'miss'
  const value = side === 'num' ? numOf(figure) : side === 'den' ? denOf(figure) : denOf(figure) - numOf(figure)
  return { of: 'figure', title, value, query: { ...queryOf(asked), figure: figure.figure, part: figure.part, side } }
}
/** Ratios of what went wrong: their numerator is what one wants to see. */
export const BETTER_LOW: ReadonlySet<string> = new Set(['returned', 'redone'])

export interface Line {
  name: string
  value: number | null
}

/** The chart of one figure: a line over time, else bars of the twenty largest. */
export function chartOf(by: By, lines: readonly Line[], percent: boolean, goal: number | null): Record<string, unknown> {
  const overTime = IN_TIME.has(by)
  const shown = overTime ? lines : [...lines].filter((one) => one.value !== null).slice(0, 20)
  const tell = (value: number | null): string => (value === null ? '–' : percent ? `${(value * 100).toFixed(1)}%` : value.toLocaleString())
  return {
    animation: false,
    grid: { left: 8, right: 16, top: 16, bottom: 8, containLabel: true },
    tooltip: { renderMode: 'richText', trigger: 'axis', valueFormatter: tell },
    xAxis: { type: 'category', data: shown.map((one) => one.name), axisLabel: { color: '#55636f', hideOverlap: true, rotate: overTime ? 0 : 30 } },
    yAxis: {
      type: 'value', min: 0, ...(percent ? { max: 1 } : {}), axisLabel: { color: '#55636f', formatter: tell },
      splitLine: { lineStyle: { color: '#e8edf2' } },
    },
    series: [
      { type: overTime ? 'line' : 'bar', data: shown.map((one) => one.value), symbolSize: 6, barMaxWidth: 36, itemStyle: { color: '#0b5cad' } },
      ...(goal === null ? [] : [{
        type: 'line', data: shown.map(() => goal), symbol: 'none', lineStyle: { type: 'dashed', color: '#b3261e', width: 1.5 }, silent: true,
      }]),
    ],
  }
}
