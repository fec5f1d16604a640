// Which of a unit's tickets stand under which tab, and in which order. A ticket may stand under several.
import type { Summary } from '@/generated/frames'
import { toneOf } from '@/shared/clock'

export const TABS = ['sign', 'due', 'overdue', 'handling', 'waiting', 'assist'] as const
export type Tab = (typeof TABS)[number]

const WAITING: ReadonlySet<string> = new Set([
  'need_info', 'return_requested', 'arbitration', 'pending_review', 'pending_follow_up', 'redo',
])
/** States in which a unit has something to do, or waits for somebody: what the desk loads. */
export const OPEN_STATES = ['pending_sign', 'handling', ...WAITING] as const
const OURS: ReadonlySet<string> = new Set(['pending_sign', 'handling'])
const OPEN: ReadonlySet<string> = new Set(OPEN_STATES)

/** The lights that say something of the clock that runs: signing is over once a ticket is in hand. */
export const lightsOfRow = (row: Summary): string[] =>
  (row.lights ?? []).filter((light) => row.state === 'pending_sign' || !light.startsWith('sign_'))

/** Tell whether a row stands under a tab of `unit` at `now` (milliseconds). */
export function belongs(tab: Tab, row: Summary, unit: string, now: number): boolean {
  if (!OPEN.has(row.state)) return false
  const lead = row.lead === unit
  if (tab === 'assist') return !lead && (row.assisting ?? []).includes(unit)
  if (!lead) return false
  const tone = OURS.has(row.state) ? toneOf(row.due, now, lightsOfRow(row)) : 'none'
  switch (tab) {
    case 'sign':
      return row.state === 'pending_sign'
    case 'handling':
      return row.state === 'handling'
    case 'waiting':
      return WAITING.has(row.state)
    case 'due':
      return tone === 'yellow'
    case 'overdue':
      return tone === 'red'
  }
}

/** The first to expire first; what has no clock comes last, the oldest before. */
export function byUrgency(one: Summary, other: Summary): number {
  const [a, b] = [one, other].map(({ due }) => (due ? Date.parse(due) : Infinity)) as [number, number]
  return a === b ? Date.parse(one.created_at) - Date.parse(other.created_at) : a - b
}

const told = (row: Summary): string =>
  `${row.number} ${row.title} ${row.town ?? ''} ${row.category ?? ''}`.toLowerCase()

/** The rows of a tab that hold every one of the words, in order. */
export function rowsOf(rows: readonly Summary[], given: { tab: Tab; unit: string; now: number; words: string }): Summary[] {
  const words = given.words.toLowerCase().split(/\s+/).filter(Boolean)
  return rows
    .filter((row) => belongs(given.tab, row, given.unit, given.now) && words.every((word) => told(row).includes(word)))
    .sort(byUrgency)
}

/** How many rows stand under each tab. */
export function countsOf(rows: readonly Summary[], unit: string, now: number): Record<Tab, number> {
  const counts = Object.fromEntries(TABS.map((tab) => [tab, 0])) as Record<Tab, number>
  for (const row of rows) for (const tab of TABS) if (belongs(tab, row, unit, now)) counts[tab] += 1
  return counts
}
