// What is sent where an agent judges the urgency otherwise. Pure.
import type { Command, Service, Ticket, Verdict } from '@/generated/frames'

/** The gravest first. */
export const VERDICTS: readonly Verdict[] = ['emergency', 'unclear', 'non_emergency']

/** Whom a ticket calls: those of its verdict, else those that triage had in mind. */
export function servicesOf({ services, triage }: Pick<Ticket, 'services' | 'triage'>): readonly Service[] {
  return services?.length ? services : (triage.services ?? [])
}

/** A verdict that is lowered needs a reason. */
export const lowers = (now: Verdict, next: Verdict): boolean => VERDICTS.indexOf(next) > VERDICTS.indexOf(now)

export function reassessing(ticket: Pick<Ticket, 'services' | 'triage'>, verdict: Verdict, reason = ''): Command {
  const known = verdict === 'non_emergency' ? [] : servicesOf(ticket)
  const services: readonly Service[] = verdict === 'emergency' && known.length === 0 ? ['110'] : known
  return { type: 'reassess', verdict, services: [...services], ...(reason ? { reason } : {}) }
}
