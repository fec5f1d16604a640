// Alarms in the order in which they want a supervisor: what nobody has seen before what somebody deals with, danger first. Pure.
import type { Callback, Summary } from '@/generated/frames'

export interface Alarm {
  key: string
  name: string
  level: 'red' | 'amber'
  seen: boolean
  at: string
  row?: Summary
  callback?: Callback
}

const DANGER: ReadonlySet<string> = new Set([
  'incident_unacknowledged', 'incident_unsigned', 'incident_refused', 'verdict_raised', 'hand_off_open',
])

export function alarmsOf(tickets: readonly Summary[], callbacks: readonly Callback[]): Alarm[] {
  const ofTickets = tickets.flatMap((row) =>
    (row.alarms ?? []).map((name): Alarm => ({
      key: `${row.number}.${name}`, name, level: DANGER.has(name) ? 'red' : 'amber',
      seen: (row.alarms_seen ?? []).includes(name), at: row.updated_at, row,
    })))
  const missed = callbacks.map((callback): Alarm => ({
    key: `callback.${callback.id}`, name: 'missed_call', level: callback.late ? 'red' : 'amber',
    seen: callback.state === 'assigned', at: callback.missed_at, callback,
  }))
  return [...ofTickets, ...missed].sort(byNeed)
}

function byNeed(one: Alarm, other: Alarm): number {
  if (one.seen !== other.seen) return one.seen ? 1 : -1
  if (one.level !== other.level) return one.level === 'red' ? -1 : 1
  return Date.parse(other.at) - Date.parse(one.at)
}
