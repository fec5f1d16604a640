// Reports remembered on this device, and only if its owner wants it: numbers, codes, and the first words.
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
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? '[]') as unknown
    return Array.isArray(kept) ? kept.filter((one: Remembered) => typeof one?.number === 'string') : []
  } catch {
    return [] // cut off or not ours
  }
}

/** Whether the owner of this device wants reports remembered; null before they were asked. */
export function isWanted(): boolean | null {
  const told = localStorage.getItem(WANTED)
  return told === null ? null : told === 'yes'
}

export function want(yes: boolean): void {
  localStorage.setItem(WANTED, yes ? 'yes' : 'no')
  if (!yes) localStorage.removeItem(KEPT)
}

/** Remember a report if that is wanted; the newest first, each number once. */
export function remember(one: Remembered): void {
  if (!isWanted()) return
  const kept = [one, ...remembered().filter(({ number }) => number !== one.number)].slice(0, MOST)
  localStorage.setItem(KEPT, JSON.stringify(kept))
}

export function forget(number: string): void {
  localStorage.setItem(KEPT, JSON.stringify(remembered().filter((one) => one.number !== number)))
}
