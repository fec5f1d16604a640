const FIRST = 1_000
const LONGEST = 30_000

/** Milliseconds to wait before the try after `failed` failures: doubled each time, never the same for two devices. */
export function pauseAfter(failed: number, random: () => number = Math.random): number {
  const most = Math.min(LONGEST, FIRST * 2 ** Math.max(0, failed - 1))
  return Math.round(most / 2 + (most / 2) * random())
}
