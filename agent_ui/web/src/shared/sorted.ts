/** A list that stays sorted while rows come, change and go one by one: each costs a binary search and a move in memory. */
export class Sorted<T> {
  private list: T[] = []

  constructor(private readonly compare: (one: T, other: T) => number) {}

  get size(): number {
    return this.list.length
  }

  get first(): T | undefined {
    return this.list[0]
  }

  /** A copy, so that who draws it is not surprised by later changes. */
  items(): T[] {
    return this.list.slice()
  }

  add(row: T): void {
    this.list.splice(this.place(row), 0, row)
  }

  /** Take out a row that was added as it is now; false if it is not there. */
  remove(row: T): boolean {
    for (let at = this.place(row); at < this.list.length && this.compare(this.list[at]!, row) === 0; at += 1) {
      if (this.list[at] !== row) continue
      this.list.splice(at, 1)
      return true
    }
    return false
  }

  clear(): void {
    this.list = []
  }

  /** The first place whose row does not come before `row`. */
  private place(row: T): number {
    let low = 0
    let high = this.list.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(this.list[middle]!, row) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
