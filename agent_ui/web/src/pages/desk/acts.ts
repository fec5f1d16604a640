// What a unit may do with a ticket: the fields that it asks for, the key that begins it. Pure.
import type { Uploaded } from '@/drafts/files'
import type { Attachment, Command, TicketEvent, Ticket } from '@/generated/frames'

export type FieldKind = 'text' | 'long' | 'unit' | 'days' | 'files'
export interface Field {
  name: string
  kind: FieldKind
  required: boolean
}
export interface Act {
  type: string
  key: string
  tone: 'primary' | 'plain' | 'warn'
  fields: readonly Field[]
}

const long = (name: string, required = true): Field => ({ name, kind: 'long', required })
const files: Field = { name: 'attachments', kind: 'files', required: false }

export const ACTS: readonly Act[] = [
  { type: 'sign', key: 's', tone: 'primary', fields: [] },
  { type: 'record_contact', key: 'c', tone: 'plain', fields: [long('note', false)] },
  { type: 'record_arrival', key: 'v', tone: 'primary', fields: [long('note', false)] },
  { type: 'reply', key: 'r', tone: 'primary', fields: [long('public'), long('internal'), files] },
  { type: 'ask_info', key: 'a', tone: 'plain', fields: [long('question')] },
  { type: 'resume', key: 'u', tone: 'primary', fields: [long('text', false)] },
  { type: 'give_opinion', key: 'o', tone: 'primary', fields: [long('text'), files] },
  { type: 'request_extension', key: 'e', tone: 'plain', fields: [{ name: 'days', kind: 'days', required: true }, long('reason')] },
  {
    type: 'request_return', key: 't', tone: 'warn',
    fields: [long('legal_basis'), { name: 'suggested', kind: 'unit', required: true }],
  },
  { type: 'attach', key: 'f', tone: 'plain', fields: [{ ...files, required: true }, long('note', false)] },
  { type: 'add_note', key: 'n', tone: 'plain', fields: [long('text')] },
]

/** The acts that are possible now, in their order. */
export const possible = (commands: readonly string[]): Act[] => ACTS.filter((act) => commands.includes(act.type))

export type KeptFile = Attachment & Uploaded
export type Values = Record<string, string | number | KeptFile[]>

const filled = (value: Values[string] | undefined): boolean =>
  Array.isArray(value) ? value.length > 0 : typeof value === 'number' || (value ?? '').trim() !== ''

/** The names of fields that are still missing. */
export const missing = (act: Act, values: Values): string[] =>
  act.fields.filter((field) => field.required && !filled(values[field.name])).map((field) => field.name)

const sent = (value: Values[string]): string | number | Attachment[] => {
  if (Array.isArray(value)) return value.map(({ key, name, media_type, size }) => ({ key, name, media_type, size }))
  return typeof value === 'string' ? value.trim() : value
}

/** The command, as the service takes it. */
export function commandOf(act: Act, values: Values): Command {
  const given = act.fields.filter((field) => filled(values[field.name])).map((field) => [field.name, sent(values[field.name]!)] as const)
  return { type: act.type, ...Object.fromEntries(given) } as Command
}

/** Every file of a ticket, the citizen's first. */
export function filesOf(ticket: Ticket, events: readonly TicketEvent[]): Attachment[] {
  const found = new Map<string, Attachment>()
  for (const file of ticket.appeal.attachments ?? []) found.set(file.key, file)
  for (const { fact } of events) {
    const given = (fact as { attachments?: Attachment[] }).attachments ?? []
    for (const file of given) found.set(file.key, file)
  }
  return [...found.values()]
}

/** The lights of one clock; those of clocks that have stopped tell nothing of it. */
export const lightsOf = (name: string, lights: readonly string[] = []): string[] =>
  lights.filter((light) => light.startsWith(`${name}_`))

export interface Clock {
  name: 'sign' | 'contact' | 'on_site' | 'completion'
  due: string
  done: string | null
}

/** Whether a clock was stopped after its time. The service tells some moments in its city's zone, others in UTC. */
export const wasLate = ({ due, done }: Clock): boolean => done !== null && Date.parse(done) > Date.parse(due)

/** The clocks of a dispatch that have run or run. */
export function clocksOf(ticket: Ticket): Clock[] {
  const c = ticket.clocks ?? {}
  const all = [
    { name: 'sign' as const, due: c.sign_due, done: c.signed_at ?? null },
    { name: 'contact' as const, due: c.contact_due, done: c.contacted_at ?? null },
    { name: 'on_site' as const, due: c.on_site_due, done: c.arrived_at ?? null },
    { name: 'completion' as const, due: c.completion_due, done: c.completed_at ?? null },
  ]
  return all.filter((clock): clock is Clock => Boolean(clock.due))
}
