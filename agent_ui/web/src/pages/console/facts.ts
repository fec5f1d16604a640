// What an agent learns of a citizen and a matter after the receipt, and the correction that it becomes. Pure.
import type { Command, Ticket } from '@/generated/frames'

export interface Facts {
  name: string
  phone: string
  company: string
  id_document: string
  happened_at: string
  about: string
  grid: string
}
export const NOTHING: Facts = { name: '', phone: '', company: '', id_document: '', happened_at: '', about: '', grid: '' }
export const FIELDS = Object.keys(NOTHING) as (keyof Facts)[]

const given = <T extends object>(told: T): Partial<T> =>
  Object.fromEntries(Object.entries(told).map(([name, value]) => [name, String(value).trim()]).filter(([, value]) => value)) as Partial<T>

/** Only what was typed is sent: what is empty stays as it is known, and what is known is masked. Null while nothing was typed. */
export function correctionOf({ happened_at, about, grid, ...who }: Facts): Command | null {
  const [citizen, place] = [given(who), given({ grid })]
  const more = {
    ...given({ happened_at, about }), ...(Object.keys(citizen).length > 0 ? { citizen } : {}),
    ...(Object.keys(place).length > 0 ? { place } : {}),
  }
  return Object.keys(more).length > 0 ? { type: 'correct', ...more } : null
}

/** What is known of the matter beside its text, in the order in which it is read; nothing that is unknown. */
export function factsOf({ appeal, town }: Ticket): ['place' | 'happened_at' | 'about', string][] {
  const place = [appeal.place?.town || town, appeal.place?.village, appeal.place?.grid, appeal.place?.address].filter(Boolean).join(' · ')
  const all: ['place' | 'happened_at' | 'about', string][] =
    [['place', place], ['happened_at', appeal.happened_at ?? ''], ['about', appeal.about ?? '']]
  return all.filter(([, value]) => value)
}

/** When it happened, as triage has found it in the text: for whom has nothing better. */
export const timeIn = (ticket: Ticket): string => ticket.triage.entities?.find((one) => one.type === 'time')?.text ?? ''
