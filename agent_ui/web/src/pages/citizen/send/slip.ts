// What was sent last: its number and code stay with this tab over a reload, a way back, a browser that had thrown the page away. Without a
// telephone nobody tells them again. Who says that the device is not theirs keeps nothing on it.
import { tab } from '@/device'
import { isWanted } from '../mine/remembered'
import type { Sent } from './useSend'

const KEPT = 'hotline.slip'
/** Long enough to write a number down, too short for the next who sits here. */
const LIFE = 30 * 60_000

export function keepSlip(sent: Sent, now = Date.now()): void {
  if (isWanted() !== false) tab.set(KEPT, JSON.stringify({ at: now, sent }))
}

export const dropSlip = (): void => tab.remove(KEPT)

export function keptSlip(now = Date.now()): Sent | null {
  try {
    const kept = JSON.parse(tab.get(KEPT) ?? 'null') as { at: number; sent: Sent } | null
    if (kept && kept.at > now - LIFE && isWanted() !== false && typeof kept.sent?.answer?.number === 'string') return kept.sent
  } catch {
    // cut off or not ours: as if there were none
  }
  dropSlip()
  return null
}
