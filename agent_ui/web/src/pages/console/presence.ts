// One's own presence by all that was told of it, and how one is put back. Pure.
import type { NotReadyReason, Presence, PresenceState } from '@/generated/frames'

/** What a person may choose at a console; the rest follows the telephone (agent_ui/presence.py). */
export const REASONS: readonly NotReadyReason[] = ['break', 'meal', 'meeting', 'training', 'paperwork', 'outbound']

export interface Choice {
  state: PresenceState
  reason?: NotReadyReason
}
/** There, but without calls before one says so. */
export const AT_DESK: Choice = { state: 'not_ready', reason: 'paperwork' }

/** The later word: the answer to a choice may come before its event, or after it. */
export const later = (one: Presence | null, other: Presence): Presence => (one && Date.parse(one.since) > Date.parse(other.since) ? one : other)

/** How somebody is put back whom a broken line has signed out: as they were, where that was theirs to choose. */
export function backAs({ state, reason }: Presence): Choice {
  if (state === 'available') return { state }
  const own = REASONS.find((one) => one === reason)
  return state === 'not_ready' && own ? { state, reason: own } : AT_DESK
}

/** Why one is signed out by this word: the line was broken for too long, somebody else did it, or (null) one did it oneself, or is not. */
export function signedOutBy(was: Presence | null, next: Presence, actor: string): 'line' | 'others' | null {
  if (next.state !== 'offline' || !was || was.state === 'offline') return null
  if (next.reason === 'lease') return 'line'
  return actor === `staff:${next.staff}` ? null : 'others'
}
