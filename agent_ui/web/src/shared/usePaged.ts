import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

export interface Paged<Row> {
  rows: ShallowRef<readonly Row[]>
  /** Where the next page begins, '' after the last. */
  next: Ref<string>
  /** Load from the first page on, until there are at least so many rows. */
  begin: (least?: number) => Promise<void>
  more: () => Promise<void>
}

/** Rows that come page by page: of two beginnings the later one counts, and a page is added only to the rows that it follows. */
export function usePaged<Row>(page: (cursor: string) => Promise<{ rows: readonly Row[]; next: string }>): Paged<Row> {
  const rows = shallowRef<readonly Row[]>([])
  const next = ref('')
  let round = 0

  async function begin(least = 0): Promise<void> {
    const mine = ++round
    let found = await page('')
    while (mine === round && found.next && found.rows.length < least) found = after(found.rows, await page(found.next))
    if (mine === round) ({ rows: rows.value, next: next.value } = found)
  }
  async function more(): Promise<void> {
    const before = rows.value
    const found = await page(next.value)
    if (rows.value === before) ({ rows: rows.value, next: next.value } = after(before, found))
  }
  const after = (before: readonly Row[], found: { rows: readonly Row[]; next: string }): typeof found =>
    ({ rows: [...before, ...found.rows], next: found.next })
  return { rows, next, begin, more }
}
