import type { CallNews, CallWords, Party, Service, Ticket } from '@/generated/frames'
import { servicesOf } from './verdicts'

export const SERVICES: readonly Service[] = ['110', '119', '120', '122']

/** Take a sentence in: one that was not final is replaced by the next with its number, in the order of the talk. */
export function heard(words: readonly CallWords[], next: CallWords): CallWords[] {
  const before = words.find((one) => one.n === next.n)
  if (before?.final !== false && before) return [...words] // told again: what is final stays
  return [...words.filter((one) => one.n !== next.n), next].sort((one, other) => one.n - other.n)
}

/** The calls at one's desk: one's own, and the one about which a colleague asks. */
export interface Calls {
  readonly own: CallNews | null
  readonly asked: CallNews | null
}

const takesPart = (news: CallNews, role: Party['role'], name: string): boolean =>
  news.phase !== 'over' && (news.parties ?? []).some((one) => one.role === role && one.name === name)

/** Who calls is told once: what was told of the same call stays. */
const withCard = (next: CallNews, ...before: (CallNews | null)[]): CallNews =>
  ({ ...next, card: next.card ?? before.find((one) => one?.call === next.call)?.card ?? null })

/** Take news in. Who has handed a call over, or is asked no more, is out of it, though it goes on without them. */
export function told({ own, asked }: Calls, next: CallNews, me: string): Calls {
  const others = asked?.call === next.call ? null : asked
  if (next.colleague === me) return { own, asked: takesPart(next, 'party', me) ? withCard(next, asked) : others }
  if (next.agent !== me) return { own, asked } // an alarm of another agent's call: the topic `alarms` shows it
  if (takesPart(next, 'agent', me)) return { own: withCard(next, own, asked), asked: others }
  return { own: own?.call === next.call ? null : own, asked: others }
}

/** How a colleague asks: they leave as soon as one answers, the citizen does not hear it, or all talk. */
export function wayOf(news: CallNews): 'transfer' | 'consult' | 'conference' {
  if (news.transferring) return 'transfer'
  return news.parties?.some((one) => one.role === 'citizen' && !one.away) ? 'conference' : 'consult'
}

/** What was heard in a call: words of danger, and whom triage would call by them. */
export interface Danger {
  readonly alarm: string
  readonly services: readonly Service[]
}

/** How a hand-over begins: with what the ticket tells, else with what was heard in the call that concerns it (null: none does). */
export function handingOf(ticket: Ticket | null, heard: Danger | null): { services: Service[]; reason: string } {
  const told = ticket ? servicesOf(ticket) : []
  const services = told.length ? told : (heard?.services ?? [])
  const words = (ticket?.triage.evidence ?? []).map((one) => one.text).join('、')
  return { services: services.length ? [...services] : ['110'], reason: words || (heard?.alarm ?? '') }
}

export const alarmOf = (news: CallNews): string => news.alarm ?? ''
