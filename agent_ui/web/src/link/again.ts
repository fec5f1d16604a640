// What only reads is asked again until it is answered: later each time, and at once when the line is back.
import { isProblem } from '../http/problem'
import { waitFor } from './machine'

/** Refusals that pass by themselves: a database that changes over, a service that is busy or has made a mistake. */
const PASSING: ReadonlySet<string> = new Set(['unavailable', 'overloaded', 'rate_limited', 'internal'])
const passes = (error: unknown): boolean => isProblem(error) && PASSING.has(error.errorId)

export class Again {
  private failures = 0
  private round = 0
  private timer: ReturnType<typeof setTimeout> | null = null

  /** `failed` is told of the first failure of a row, and of one that does not pass by itself: that is the last. */
  constructor(private readonly work: () => Promise<void>, private readonly failed: (error: unknown) => void) {}

  /** Do it now; what was under way, or waited, no longer counts. */
  start(): void {
    this.stop()
    const round = this.round
    this.work().then(
      () => {
        if (round === this.round) this.failures = 0
      },
      (error: unknown) => {
        if (round === this.round) this.later(error)
      },
    )
  }

  /** The line is back: what waits does so no longer. */
  hurry(): void {
    if (this.timer !== null) this.start()
  }

  stop(): void {
    this.round += 1
    if (this.timer !== null) clearTimeout(this.timer)
    this.timer = null
  }

  private later(error: unknown): void {
    if (this.failures === 0 || !passes(error)) this.failed(error)
    if (!passes(error)) return
    this.timer = setTimeout(() => this.start(), waitFor(this.failures, Math.random()))
    this.failures += 1
  }
}
