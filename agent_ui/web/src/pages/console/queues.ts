// The queues of an agent: which rows of which topic they show, and what comes first. Pure.
import type { Summary } from '@/generated/frames'

export interface Queue {
  id: string
  topic: 'centre' | 'emergency' | 'alarms' | 'supervised' | 'mine'
  shows: (row: Summary) => boolean
  /** Shown in red while anything is in it. */
  urgent?: boolean
}

const OVER: ReadonlySet<string> = new Set(['closed', 'rejected', 'withdrawn', 'merged', 'archived'])
const inState = (...states: string[]): ((row: Summary) => boolean) => (row) => states.includes(row.state)

/** In the order of their keys, 1 to 9 and 0. */
export const QUEUES: readonly Queue[] = [
  { id: 'mine', topic: 'mine', shows: (row) => !OVER.has(row.state) },
  { id: 'emergency', topic: 'emergency', shows: (row) => !OVER.has(row.state), urgent: true },
  { id: 'chats', topic: 'centre', shows: (row) => row.chat === true && !row.agent },
  { id: 'received', topic: 'centre', shows: inState('received') },
  { id: 'dispatch', topic: 'centre', shows: inState('pending_dispatch', 'redo') },
  { id: 'info', topic: 'centre', shows: inState('need_info') },
  { id: 'returns', topic: 'centre', shows: inState('return_requested', 'arbitration') },
  { id: 'review', topic: 'centre', shows: inState('pending_review') },
  { id: 'followUp', topic: 'centre', shows: inState('pending_follow_up', 'answered') },
  { id: 'supervised', topic: 'supervised', shows: () => true },
  { id: 'alarms', topic: 'alarms', shows: () => true, urgent: true },
]

const VERDICTS: Record<string, number> = { emergency: 0, unclear: 1 }
const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)

/** When a row is due, in milliseconds; those without a time come last. Told once for each row: a comparison is no place to parse. */
const dues = new WeakMap<Summary, number>()
function dueOf(row: Summary): number {
  let due = dues.get(row)
  if (due === undefined) dues.set(row, (due = row.due ? Date.parse(row.due) : Infinity))
  return due
}

/** Who has waited longest comes first. */
export const longestFirst = (rows: readonly Summary[]): Summary[] => [...rows].sort((one, other) => byText(one.created_at, other.created_at))

/** What is to be done first: danger, priority, what is due next, who has waited longest. */
export function firstOf(one: Summary, other: Summary): number {
  return (
    (VERDICTS[one.verdict] ?? 2) - (VERDICTS[other.verdict] ?? 2) ||
    byText(one.priority, other.priority) ||
    Math.sign(dueOf(one) - dueOf(other) || 0) ||
    byText(one.created_at, other.created_at) ||
    byText(one.number, other.number)
  )
}

/** Rows that ring: a citizen waits in a chat and nobody has taken it. */
export const isRinging = (row: Summary): boolean => row.chat === true && !row.agent && row.state === 'received'
