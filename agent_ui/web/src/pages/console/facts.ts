// What an agent learns of a citizen after the receipt, and the correction that it becomes. Pure.
import type { Command } from '@/generated/frames'

export interface Facts {
  name: string
  phone: string
}
export const NOTHING: Facts = { name: '', phone: '' }

const given = <T extends object>(told: T): Partial<T> =>
  Object.fromEntries(Object.entries(told).map(([name, value]) => [name, String(value).trim()]).filter(([, value]) => value)) as Partial<T>

/** Only what was typed is sent: what is empty stays as it is known. Null while nothing was typed. */
export function correctionOf({ name, phone }: Facts): Command | null {
  const citizen = given({ name, phone })
  return Object.keys(citizen).length > 0 ? { type: 'correct', citizen } : null
}
