/** Which rows of a long list are drawn: those in view, and some beyond on each side. */
export interface Window {
  from: number
  to: number
}

export function windowOf(given: { top: number; height: number; row: number; count: number; beyond?: number }): Window {
  const { top, height, row, count, beyond = 6 } = given
  const from = Math.max(0, Math.floor(top / row) - beyond)
  return { from, to: Math.min(count, Math.ceil((top + height) / row) + beyond) }
}

/** Where to scroll so that a row is in view; `top` where it is already. */
export function topFor(given: { index: number; top: number; height: number; row: number }): number {
  const { index, top, height, row } = given
  if (index * row < top) return index * row
  return (index + 1) * row > top + height ? (index + 1) * row - height : top
}
