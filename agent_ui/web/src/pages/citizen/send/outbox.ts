// What has been sent and not been answered yet. It is kept on the device under its key before the first try, and sent
// again, unchanged, until the service has answered: a cut line or a killed browser neither loses nor doubles it.
import { device } from '@/device'
import { answerOf, api } from '@/http/client'
import { isProblem, type Problem } from '@/http/problem'
import type { AppealAnswer, AppealBody, JoinAnswer } from '../kit/wire'
import { pauseAfter } from '../kit/backoff'
import { newKey } from '../kit/keys'

export interface Parcel {
  key: string
  body: AppealBody
  /** The report that is joined; '' for an appeal of its own. */
  joins: string
}

export type Answer = AppealAnswer & Partial<JoinAnswer>

const KEPT = 'hotline.outbox'
/** Told by the service for this moment only; everything else it refuses for good. */
const PASSING = new Set(['offline', 'connection_lost', 'overloaded', 'unavailable', 'rate_limited', 'internal'])

export function waitingParcel(): Parcel | null {
  try {
    const kept = JSON.parse(device.get(KEPT) ?? 'null') as Parcel | null
    return kept && typeof kept.key === 'string' && typeof kept.body?.text === 'string' ? kept : null
  } catch {
    return null // cut off or not ours
  }
}

export function packed(body: AppealBody, joins = ''): Parcel {
  const parcel = { key: newKey(), body, joins }
  device.set(KEPT, JSON.stringify(parcel))
  return parcel
}

export const unpacked = (): void => device.remove(KEPT)

export const isPassing = (error: unknown): error is Problem => isProblem(error) && PASSING.has(error.errorId)

/** Send a parcel once. Throws the Problem that it met. */
export async function sendOnce(parcel: Parcel): Promise<Answer> {
  const header = { 'Idempotency-Key': parcel.key }
  if (parcel.joins) {
    const path = { number: parcel.joins }
    const request = api.POST('/api/v1/tickets/{number}/joins', { params: { path, header }, body: parcel.body as never })
    return (await answerOf(request)) as Answer
  }
  return (await answerOf(api.POST('/api/v1/appeals', { params: { header }, body: parcel.body as never }))) as Answer
}

export interface Trying {
  /** Resolves after the pause, or as soon as the device is back on the line. */
  pause(milliseconds: number): Promise<void>
  /** Is told before each pause. */
  waiting(problem: Problem, failed: number): void
  stopped(): boolean
}

/** Send until it is answered; null when the page has gone meanwhile. Throws what the service refuses for good. */
export async function deliver(parcel: Parcel, trying: Trying, send = sendOnce): Promise<Answer | null> {
  for (let failed = 1; !trying.stopped(); failed += 1) {
    try {
      const answer = await send(parcel)
      unpacked()
      return answer
    } catch (error) {
      if (!isPassing(error)) {
        unpacked()
        throw error
      }
      trying.waiting(error, failed)
      await trying.pause(pauseAfter(failed))
    }
  }
  return null
}

/** A pause that ends early when the device is online again. */
export function pauseUntilOnline(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      window.removeEventListener('online', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    window.addEventListener('online', end)
  })
}
