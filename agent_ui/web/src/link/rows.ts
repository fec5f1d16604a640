// The rows of one topic: a snapshot, and every event since (the rule of agent_ui/view.py, told in docs/console-protocol.md).
import type { Callback, Presence, Summary } from '../generated/frames'

/** States in which the centre, not a department, has to act; a test compares it with the service's list. */
export const CENTRE_STATES: ReadonlySet<string> = new Set([
  'received', 'need_info', 'pending_dispatch', 'return_requested', 'arbitration', 'pending_review', 'answered',
  'pending_follow_up', 'redo',
])
const OVER: ReadonlySet<string> = new Set(['closed', 'rejected', 'withdrawn', 'merged', 'archived'])
const REMEMBERED = 5 * 60_000

/** Tell from a row alone whether it belongs to the list of a topic. */
export function fits(topic: string, row: Summary): boolean {
  const [kind, name = ''] = split(topic)
  switch (kind) {
    case 'tickets':
      return true
    case 'ticket':
      return row.number === name
    case 'centre':
      return CENTRE_STATES.has(row.state)
    case 'emergency':
      return row.verdict !== 'non_emergency' && row.state !== 'archived'
    case 'department':
      return row.lead === name || (row.assisting ?? []).includes(name)
    case 'agent':
      return row.agent === name
    case 'alarms':
      return (row.alarms ?? []).length > 0
    case 'supervised':
      return (row.supervision ?? 0) > 0 && !OVER.has(row.state)
    default:
      return false
  }
}

function split(topic: string): [string, string] {
  const at = topic.indexOf(':')
  return at < 0 ? [topic, ''] : [topic.slice(0, at), topic.slice(at + 1)]
}

interface Known {
  row: Summary
  seq: number
  shown: boolean
}
export type Change = (row: Summary | null, before: Summary | null) => void

/** Tickets of a topic. `changed` is told of every row that comes (before: null), changes, or goes (row: null). */
export class TicketRows {
  seq = 0
  /** A snapshot is under way: what is told meanwhile is newer than its later pages, of rows too that are not shown. */
  loading = false
  private known = new Map<string, Known>()
  private hidden: { number: string; version: number; at: number }[] = []

  constructor(readonly topic: string, private readonly changed: Change = () => undefined, private readonly now: () => number = Date.now) {}

  get(number: string): Summary | undefined {
    const known = this.known.get(number)
    return known?.shown ? known.row : undefined
  }

  *rows(): Generator<Summary> {
    for (const known of this.known.values()) if (known.shown) yield known.row
  }

  /** Take a page of a snapshot in; the first page begins the list anew, what later events told stays. */
  snapshot(rows: readonly Summary[], seq: number, first: boolean): void {
    if (first) {
      this.seq = seq
      for (const [number, known] of this.known) {
        if (known.seq > seq) continue
        this.known.delete(number)
        if (known.shown) this.changed(null, known.row)
      }
    }
    for (const row of rows) this.take(row, seq)
  }

  /** Take the row of one event in. */
  event(row: Summary, seq: number): void {
    if (seq > this.seq) this.take(row, seq)
  }

  private take(row: Summary, seq: number): void {
    const known = this.known.get(row.number)
    if (known && known.row.version >= row.version) return
    const shown = fits(this.topic, row)
    // A page follows many topics and hears all their events: what is not of this one and never was is not kept.
    if (!shown && !known && !this.loading) return
    this.known.set(row.number, { row, seq, shown })
    const before = known?.shown ? known.row : null
    if (shown || before) this.changed(shown ? row : null, before)
    if (!shown) this.remember(row)
  }

  /** What left the list is remembered for minutes, not for a whole shift: memory stays level. */
  private remember(row: Summary): void {
    this.hidden.push({ number: row.number, version: row.version, at: this.now() })
    while (this.hidden[0] && this.hidden[0].at < this.now() - REMEMBERED) {
      const { number, version } = this.hidden.shift()!
      const known = this.known.get(number)
      if (known && !known.shown && known.row.version === version) this.known.delete(number)
    }
  }
}

/** The last word on each person or entry: presence by name, callbacks by id. */
export class LatestRows<T extends Presence | Callback> {
  seq = 0
  loading = false
  private readonly found = new Map<string, { row: T; seq: number }>()

  constructor(private readonly key: (row: T) => string, private readonly stays: (row: T) => boolean) {}

  get rows(): T[] {
    return [...this.found.values()].map(({ row }) => row).filter(this.stays)
  }

  snapshot(rows: readonly T[], seq: number, first: boolean): void {
    if (first) {
      this.seq = seq
      for (const [key, kept] of this.found) if (kept.seq <= seq) this.found.delete(key)
    }
    for (const row of rows) if (!this.found.has(this.key(row))) this.found.set(this.key(row), { row, seq })
  }

  /** Take an event in. One who has gone is remembered only while a snapshot may still tell of them. */
  event(row: T, seq: number): void {
    if (seq <= this.seq) return
    if (this.loading || this.stays(row)) this.found.set(this.key(row), { row, seq })
    else this.found.delete(this.key(row))
  }
}
