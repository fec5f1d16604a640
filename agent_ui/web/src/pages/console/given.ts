// Chats that were given to an agent, by the switchboard or a supervisor, and that they have not looked at. Pure.
import type { Event, Summary } from '@/generated/frames'
import { longestFirst } from './queues'

const WAITS: ReadonlySet<string> = new Set(['received', 'pending_dispatch'])
/** How many tickets are remembered as looked at: more than an agent opens while one chat waits. */
const REMEMBERED = 500

/** One's chats that wait for one's word, without those looked at. The longest waiting first. */
export const givenOf = (mine: readonly Summary[], seen: ReadonlySet<string>): Summary[] =>
  longestFirst(mine.filter((row) => row.chat === true && WAITS.has(row.state) && !seen.has(row.number)))

/** Remember a ticket as looked at. */
export const withSeen = (seen: ReadonlySet<string>, number: string): ReadonlySet<string> =>
  seen.has(number) ? seen : new Set([...seen, number].slice(-REMEMBERED))

/** Take an event in: what one has done oneself – taken it by hand, answered – is looked at; what one is given is not, unless it is open. */
export function seenAfter(seen: ReadonlySet<string>, event: Event, me: string, open: string): ReadonlySet<string> {
  const row = event.summary as Summary | undefined
  if (!row?.chat || row.number === open) return seen
  if (event.actor.split(':', 2)[1] === me) return withSeen(seen, row.number)
  if (event.type !== 'claim' || row.agent !== me || !seen.has(row.number)) return seen
  return new Set([...seen].filter((number) => number !== row.number))
}
