// Reports remembered on this device, and only if its owner wants it: numbers, codes, and the first words.
import { device } from '@/device'

export interface Remembered {
  number: string
  code: string
  at: string
  words: string
}

const KEPT = 'hotline.mine'
const WANTED = 'hotline.mine.wanted'
const MOST = 50

export function remembered(): Remembered[] {
  try {
    const kept = JSON.parse(device.get(KEPT) ?? '[]') as unknown
    return Array.isArray(kept) ? kept.filter((one: Remembered) => typeof one?.number === 'string') : []
  } catch {
    return [] // cut off or not ours
  }
}

/** Whether the owner of this device wants reports remembered; null before they were asked. */
export function isWanted(): boolean | null {
  const told = device.get(WANTED)
  return told === null ? null : told === 'yes'
}

export function want(yes: boolean): void {
  device.set(WANTED, yes ? 'yes' : 'no')
  if (!yes) device.remove(KEPT)
}

/** Remember a report if that is wanted; the newest first, each number once. */
export function remember(one: Remembered): void {
  if (!isWanted()) return
  const kept = [one, ...remembered().filter(({ number }) => number !== one.number)].slice(0, MOST)
  device.set(KEPT, JSON.stringify(kept))
}

export function forget(number: string): void {
  device.set(KEPT, JSON.stringify(remembered().filter((one) => one.number !== number)))
}
