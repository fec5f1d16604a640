import type { components } from '@/generated/http'

export type DayOff = components['schemas']['DayOff']
export interface Cell {
  day: string
  number: number
  weekend: boolean
  kind: 'work' | 'rest' | 'holiday' | 'makeUp'
  name: string
  own: boolean
}

/** The twelve months of a year, each with empty cells before its first day (weeks begin on Monday). */
export function monthsOf(year: number, days: readonly DayOff[], own: readonly DayOff[]): { month: number; blanks: number; cells: Cell[] }[] {
  const unusual = new Map(days.map((one) => [one.day, one]))
  const mine = new Map(own.map((one) => [one.day, one]))
  return Array.from({ length: 12 }, (_, month) => {
    const count = new Date(Date.UTC(year, month + 1, 0)).getUTCDate()
    const cells = Array.from({ length: count }, (_, index): Cell => {
      const at = new Date(Date.UTC(year, month, index + 1))
      const day = at.toISOString().slice(0, 10)
      const weekend = at.getUTCDay() % 6 === 0
      const told = mine.get(day) ?? unusual.get(day)
      const off = told ? told.off : weekend
      return {
        day, number: index + 1, weekend, kind: off ? (weekend ? 'rest' : 'holiday') : (weekend ? 'makeUp' : 'work'),
        name: mine.get(day)?.name || told?.name || '', own: mine.has(day),
      }
    })
    return { month: month + 1, blanks: (new Date(Date.UTC(year, month, 1)).getUTCDay() + 6) % 7, cells }
  })
}

/** The days set here after one was clicked: what it was is turned round; turned twice it is as it was. */
export function toggled(own: readonly DayOff[], cell: Cell, name: string): DayOff[] {
  const rest = own.filter((one) => one.day !== cell.day)
  if (cell.own) return rest
  return [...rest, { day: cell.day, off: cell.kind === 'work' || cell.kind === 'makeUp', name }].sort((a, b) => a.day.localeCompare(b.day))
}

/** Lines `2027-02-08,休,春节` or `2027-02-14,班` → days; the numbers of lines that are none. */
export function readLines(text: string, year: number): { days: DayOff[]; wrong: number[] } {
  const days: DayOff[] = []
  const wrong: number[] = []
  text.split('\n').forEach((line, index) => {
    if (!line.trim()) return
    const [day = '', kind = '', name = ''] = line.split(/[,，\t]/).map((part) => part.trim())
    const off = OFF.has(kind) ? true : WORK.has(kind) ? false : null
    if (off === null || !day.startsWith(`${year}-`) || Number.isNaN(Date.parse(day)) || days.some((one) => one.day === day)) wrong.push(index + 1)
    else days.push({ day, off, name })
  })
  return { days, wrong }
}
const OFF = new Set(['\u4f11', 'off', 'no'])
const WORK = new Set(['\u73ed', 'work', 'yes'])
