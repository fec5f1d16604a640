import type { Command, Opened, Staff } from '../generated/frames'

/**
 * Tell whether a command whose answer was lost had been carried out: the event after the version it was meant for is
 * ours, and of its kind. `since` is the ticket with its events from that version on.
 *
 * Events name a person, but of a department the unit (`actor_of` in agent_ui/staff.py): a colleague may have done the
 * like at the same moment, so there the event says the same too.
 */
export function settledBefore(since: Opened, command: Command, version: number, me: Staff | null): boolean {
  const next = since.events.find((event) => event.version === version + 1)
  if (!me || !next || next.actor.name !== (me.department || me.name) || next.fact.type !== command.type) return false
  return !me.department || says(command as unknown as Said, next.fact as unknown as Said)
}

type Said = Readonly<Record<string, unknown>>

/** Whether an event holds the texts and the files of a command. */
function says(sent: Said, told: Said): boolean {
  return Object.entries(sent).every(([name, value]) => {
    if (typeof value === 'string') return fits(bare(value), bare(told[name]))
    return name !== 'attachments' || JSON.stringify(keysOf(value)) === JSON.stringify(keysOf(told[name]))
  })
}

const keysOf = (files: unknown): string[] => (Array.isArray(files) ? (files as { key: string }[]).map(({ key }) => key).sort() : [])
const bare = (text: unknown): string => (typeof text === 'string' ? text.replace(/\s+/g, '') : '')

/** Whether `told` may be `sent`: where the service hid a number or a name behind asterisks, anything may have stood. */
function fits(sent: string, told: string): boolean {
  const parts = told.split(/\*+/)
  const [first, last] = [parts[0]!, parts.at(-1)!]
  if (parts.length === 1) return sent === told
  if (!sent.startsWith(first) || !sent.endsWith(last)) return false
  let at = first.length
  for (const part of parts.slice(1, -1)) {
    const found = sent.indexOf(part, at)
    if (found < 0) return false
    at = found + part.length
  }
  return at + last.length <= sent.length
}
