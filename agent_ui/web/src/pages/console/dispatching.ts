import type { Command, Proposal } from '@/generated/frames'

/** The commands that send a ticket to a department: a new one is accepted first, one to be redone is dispatched again. */
export function dispatching(
  allowed: readonly string[], chosen: { lead: string; assisting: readonly string[] }, proposal: Proposal | null,
): Command[] {
  const { lead, assisting } = chosen
  if (!lead) return []
  const followed = proposal?.lead === lead
  const dispatch: Command = {
    type: 'dispatch', lead, assisting: assisting.filter((unit) => unit !== lead),
    ...(followed ? { reasons: proposal.reasons, directory_version: proposal.directory_version } : {}),
  }
  if (allowed.includes('dispatch')) return [dispatch]
  if (allowed.includes('accept')) return [{ type: 'accept' }, dispatch]
  return allowed.includes('redispatch') ? [{ type: 'redispatch', lead }] : []
}
