// Marks of malicious nuisance: which hold, which are over, and what is sent for a new one. Pure.
import type { components } from '@/generated/http'

export type Mark = components['schemas']['Mark']
export type Case = components['schemas']['CaseShown']
/** How a mark stands: it holds, a supervisor has lifted it, or its time is over. */
export type Standing = 'held' | 'lifted' | 'ended'
export const SHOWN = ['held', 'past', 'all'] as const
export type Shown = (typeof SHOWN)[number]

/** One whose time is over is lifted by the house itself once the contact is marked anew. */
export function stateOf(mark: Pick<Mark, 'until' | 'lifted_at' | 'lifted_by'>, now: number): Standing {
  if (mark.lifted_at) return mark.lifted_by === 'system' ? 'ended' : 'lifted'
  return now < Date.parse(mark.until) ? 'held' : 'ended'
}

export const toneOf = (standing: Standing): string => ({ held: 'bad', lifted: 'good', ended: '' })[standing]

export const marksOf = <T extends Pick<Mark, 'until' | 'lifted_at' | 'lifted_by'>>(marks: readonly T[], shown: Shown, now: number): T[] =>
  marks.filter((one) => shown === 'all' || (stateOf(one, now) === 'held') === (shown === 'held'))

/** Who is named: a ticket's number goes as such, anything else as the contact. */
export function namedBy(text: string): { number: string } | { contact: string } {
  const given = text.trim()
  return /^[A-Za-z]{2}\d{16,}$/.test(given) ? { number: given.toUpperCase() } : { contact: given }
}
