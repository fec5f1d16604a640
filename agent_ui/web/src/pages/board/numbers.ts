// Figures for people: values, goals, tones; and from which question each number leads to its tickets. Pure.
import type { operations } from '@/generated/http'
import { partsOf } from '@/shared/time'

/** By what the routes answer, not by the names of schemas: those change when two are called alike. */
export type Board = operations['get_api_v1_board']['responses'][200]['content']['application/json']
export type Figure = Board['today'][number]
export type Tone = 'good' | 'bad' | 'plain'
export type Language = string

export const figureIn = (figures: readonly Figure[], name: string, part = ''): Figure | undefined =>
  figures.find((one) => one.figure === name && one.part === part)

const whole = (value: number, language: Language): string => Math.round(value).toLocaleString(language === 'en' ? 'en-GB' : 'zh-CN')

/** Seconds in the largest unit that says something: 8s, 3m 20s, 5h, 2d. */
export function secondsIn(seconds: number): string {
  if (seconds < 100) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${Math.round(seconds % 60)}s`
  const { days, hours, minutes } = partsOf(seconds * 1000)
  return days ? `${days}d ${hours}h` : `${hours}h ${minutes}m`
}

/** A figure's value; a dash where nothing was counted. */
export function valueOf(figure: Figure | undefined, language: Language): string {
  if (!figure) return '–'
  if (!figure.unit) return whole(figure.numerator, language)
  if (figure.value == null) return '–'
  return figure.unit === 'seconds' ? secondsIn(figure.value) : `${(figure.value * 100).toFixed(1)}%`
}

/** Numerator and denominator; the service leaves out what is 0. */
export const numOf = (figure: Figure | undefined): number => figure?.numerator ?? 0
export const denOf = (figure: Figure | undefined): number => (figure?.denominator as number | undefined) ?? 0

export const toneOf = (good: boolean | null | undefined): Tone => (good == null ? 'plain' : good ? 'good' : 'bad')

/** What is asked of a figure, as `≥ 95%` or `≤ 15s`. */
export function goalOf(figure: Figure | undefined): string {
  if (figure?.goal == null) return ''
  return figure.unit === 'seconds' ? `≤ ${secondsIn(figure.goal)}` : `≥ ${Math.round(figure.goal * 100)}%`
}

/** The states of a board's clocks, in the order in which a ticket meets them. */
export const STAGES = [
  { name: 'accept', states: ['received', 'pending_dispatch'] }, { name: 'sign', states: ['pending_sign'] },
  { name: 'handle', states: ['handling'] }, { name: 'dispute', states: ['return_requested', 'arbitration'] },
  { name: 'review', states: ['pending_review'] }, { name: 'follow', states: ['pending_follow_up'] }, { name: 'redo', states: ['redo'] },
] as const

export interface Stage {
  name: (typeof STAGES)[number]['name']
  states: readonly string[]
  tickets: number
  late: number
}

export const stagesOf = (board: Board): Stage[] =>
  STAGES.map(({ name, states }) => {
    const found = board.standing.filter((one) => (states as readonly string[]).includes(one.state))
    return { name, states, tickets: found.reduce((sum, one) => sum + one.tickets, 0), late: found.reduce((sum, one) => sum + one.late, 0) }
  })

/** A question that a number answers: `figure` of tickets, those that `stand` in a state, or `calls`. */
export type Drill =
  | { of: 'figure'; title: string; value: number; query: Record<string, string> }
  | { of: 'standing'; title: string; value: number; query: Record<string, string> }
  | { of: 'calls'; title: string; value: number; query: Record<string, string> }

/** Which calls stand behind a telephone figure: those that make it look bad, which is what one wants to see. */
export const CALLS_OF: Record<string, string> = {
  connected: 'missed', service_level: 'slow', service_level_stayed: 'slow', asa: 'answered', abandoned: 'abandoned', called_back: 'owed', aht: 'answered',
}
export const TELEPHONE: ReadonlySet<string> = new Set([...Object.keys(CALLS_OF), 'occupancy'])

/** The day so many days before a day, both written 2026-11-21. */
export function dayBefore(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - days * 86_400_000).toISOString().slice(0, 10)
}

/** How dark a cell of the heat map is, 0 to 1: by the square root, so that small numbers show beside large ones. */
export const heatOf = (value: number, most: number): number => (value <= 0 || most <= 0 ? 0 : Math.sqrt(value / most))
