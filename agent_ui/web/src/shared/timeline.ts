import type { TicketEvent } from '../generated/frames'

/** The parts of an event that people read, in the order in which they are told. */
const TOLD = ['question', 'text', 'public', 'internal', 'reason', 'note', 'legal_basis', 'detail', 'incident', 'result'] as const

/** The sentences of an event: what was written, asked, replied. */
export function sentencesOf(fact: TicketEvent['fact']): string[] {
  const given = fact as unknown as Record<string, unknown>
  return TOLD.map((name) => given[name]).filter((value): value is string => typeof value === 'string' && value !== '')
}

/** Who acted, beside their role; of a citizen the log tells the way by which it came (`wechat`, an app's token, who wrote a call down), no name. */
export const nameOf = ({ role, name }: TicketEvent['actor']): string => (role === 'citizen' ? '' : (name ?? ''))
