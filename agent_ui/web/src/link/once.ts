import type { Command, Opened } from '../generated/frames'

/**
 * Tell whether a command whose answer was lost had been carried out: the event after the version it was meant for is
 * ours, and of its kind. `since` is the ticket with its events from that version on.
 */
export function settledBefore(since: Opened, command: Command, version: number, me: string): boolean {
  const next = since.events.find((event) => event.version === version + 1)
  return next !== undefined && next.actor.name === me && next.fact.type === command.type
}
