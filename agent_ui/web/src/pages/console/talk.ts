// A ticket's events as a conversation: what the citizen says, what we say, notes among ourselves, and steps in between. Pure.
import type { Attachment, TicketEvent } from '@/generated/frames'
import { sentencesOf } from '@/shared/timeline'

export type Side = 'citizen' | 'us' | 'note' | 'step'
export interface Line {
  version: number
  side: Side
  type: string
  at: string
  actor: TicketEvent['actor']
  text: string
  attachments: readonly Attachment[]
}

const TO_CITIZEN: ReadonlySet<string> = new Set(['ask_info', 'answer', 'reply', 'reject'])
const FROM_CITIZEN: ReadonlySet<string> = new Set(['receive', 'supply_info', 'withdraw', 'rate'])
/** Steps of the service's own that nobody needs to read in a conversation; the whole history shows them. */
const UNTOLD: ReadonlySet<string> = new Set(['show_light', 'claim', 'release'])

function sideOf(event: TicketEvent): Side {
  const { fact } = event
  if (fact.type === 'add_note') return 'note'
  if (fact.type === 'add_message') return fact.inbound !== false ? 'citizen' : 'us' // what is the default is left out
  if (FROM_CITIZEN.has(fact.type)) return 'citizen'
  return TO_CITIZEN.has(fact.type) ? 'us' : 'step'
}

function textOf(event: TicketEvent): string {
  const { fact } = event
  if (fact.type === 'receive') return fact.appeal.text
  return fact.type === 'reply' ? fact.public : sentencesOf(fact).join('\n')
}

function filesOf(event: TicketEvent): readonly Attachment[] {
  const { fact } = event
  if (fact.type === 'receive') return fact.appeal.attachments ?? []
  return 'attachments' in fact ? (fact.attachments ?? []) : []
}

export function linesOf(events: readonly TicketEvent[]): Line[] {
  return events
    .filter((event) => !UNTOLD.has(event.fact.type))
    .map((event) => ({
      version: event.version, side: sideOf(event), type: event.fact.type, at: event.at, actor: event.actor,
      text: textOf(event), attachments: filesOf(event),
    }))
}

/** How the hand-over to 110 stands. */
export interface Handoff {
  state: 'none' | 'sent' | 'acknowledged' | 'returned'
  services: readonly string[]
  at: string
  incident: string
}

export function handoffOf(events: readonly TicketEvent[]): Handoff {
  const found: Handoff = { state: 'none', services: [], at: '', incident: '' }
  for (const { fact, at } of events) {
    if (fact.type === 'hand_off') Object.assign(found, { state: 'sent', services: fact.services, at, incident: '' })
    else if (fact.type === 'acknowledge_incident') Object.assign(found, { state: 'acknowledged', incident: fact.incident })
    else if (fact.type === 'police_return') found.state = 'returned'
  }
  return found
}
