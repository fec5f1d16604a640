// A ticket's way as a parcel's: five stations, and where it is now. Pure.
import type { Progress, State } from '../kit/wire'

export const STATIONS = ['received', 'dispatched', 'handling', 'answered', 'closed'] as const
export type Station = (typeof STATIONS)[number]
export type Look = 'done' | 'now' | 'ahead' | 'ended'

const AT: Record<State, number> = {
  received: 0, need_info: 0, pending_dispatch: 0, pending_sign: 1, return_requested: 1, arbitration: 1, merged: 1,
  handling: 2, pending_review: 2, redo: 2, handed_off: 2, answered: 3, pending_follow_up: 3,
  closed: 4, archived: 4, rejected: 0, withdrawn: 0,
}
/** Kinds of steps that show how far a merged ticket's matter has come: its own state says only that it was merged. */
const REACHED: Record<string, number> = {
  dispatch: 1, rule: 1, sign: 2, record_contact: 2, record_arrival: 2, reply: 2, accept_reply: 3, answer: 3, close: 4, settle_follow_up: 4,
}
const ENDED = new Set<State>(['rejected', 'withdrawn'])

/** How far a ticket has come, 0 to 4. */
export function reached(progress: Pick<Progress, 'status' | 'steps'>): number {
  if (progress.status !== 'merged') return AT[progress.status]
  return progress.steps.reduce((most, step) => Math.max(most, REACHED[step.kind ?? ''] ?? 0), AT.merged)
}

/** How each station looks. A ticket that was ended early has no further ones. */
export function stationsOf(progress: Pick<Progress, 'status' | 'steps'>): { station: Station; look: Look }[] {
  const at = reached(progress)
  const ended = ENDED.has(progress.status)
  const finished = at === STATIONS.length - 1
  return STATIONS.map((station, index) => {
    if (ended) return { station, look: index === 0 ? 'done' : 'ended' }
    if (index < at || finished) return { station, look: 'done' }
    return { station, look: index === at ? 'now' : 'ahead' }
  })
}

/** What waits for the citizen, if anything: a question to answer, or an answer to rate. */
export function asked(progress: Pick<Progress, 'status' | 'may' | 'rating'>): 'info' | 'rating' | '' {
  if (progress.status === 'need_info') return 'info'
  return progress.may.includes('rate') && !progress.rating ? 'rating' : ''
}
