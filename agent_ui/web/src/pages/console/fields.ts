// Forms of commands, made from their types: a page can never ask for something else than the service takes. Pure.
import { FORMS, type Field } from '@/generated/forms'

/** Kept by the service itself, or asked elsewhere. */
const NOT_ASKED: ReadonlySet<string> = new Set([
  'flags', 'ceiling_due', 'completion_due', 'place', 'directory_version', 'reasons', 'inbound', 'attachments', 'confidential',
  'citizen',
])
const LONG: ReadonlySet<string> = new Set(['text', 'internal', 'public', 'question', 'reason', 'note', 'legal_basis', 'detail'])
const UNITS: ReadonlySet<string> = new Set(['lead', 'assisting', 'suggested'])
const TERMS: Record<string, string> = {
  Kind: 'kind', Priority: 'priority', Verdict: 'verdict', Service: 'service', RejectReason: 'reject', Rating: 'rating', TryResult: 'result',
  Way: 'way', ClockName: 'clock', Light: 'light', Sensitive: 'sensitive',
}

/** What a citizen said of a yes-or-no question: nothing is an answer of its own, never a yes or a no. */
const SAID = { yes: true, no: false, unsaid: null } as const

export type Control = 'line' | 'area' | 'number' | 'check' | 'said' | 'choice' | 'choices' | 'unit' | 'units'
export interface Asked {
  name: string
  required: boolean
  control: Control
  options: readonly string[]
  /** Where the words of the options stand in `terms`. */
  words: string
}

function controlOf(field: Field): Control {
  if (UNITS.has(field.name)) return field.kind.startsWith('list') ? 'units' : 'unit'
  switch (field.kind) {
    case 'choice':
      return 'choice'
    case 'list of choice':
      return 'choices'
    case 'boolean or null':
      return 'said'
    case 'boolean':
      return 'check'
    case 'integer':
    case 'number':
      return 'number'
    default:
      return LONG.has(field.name) ? 'area' : 'line'
  }
}

/** What a command's form asks for, in order. */
export const asked = (command: string): Asked[] =>
  (FORMS[command] ?? []).filter((field) => !NOT_ASKED.has(field.name)).map((field) => ({
    name: field.name, required: field.required, control: controlOf(field), ...choicesOf(field),
  }))

const choicesOf = (field: Field): Pick<Asked, 'options' | 'words'> =>
  controlOf(field) === 'said' ? { options: Object.keys(SAID), words: 'said' } : { options: field.options ?? [], words: TERMS[field.of ?? ''] ?? '' }

/** The command as it is sent: what was left empty is left out, what a citizen did not say is said to be so (null). Null while
 * something needed is missing. */
export function commandOf(type: string, values: Readonly<Record<string, unknown>>): Record<string, unknown> | null {
  const found: Record<string, unknown> = { type }
  for (const { name, required, control } of asked(type)) {
    if (control === 'said') {
      found[name] = SAID[values[name] as keyof typeof SAID] ?? null
      continue
    }
    const value = typeof values[name] === 'string' ? (values[name] as string).trim() : values[name]
    const empty = value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
    if (empty && required) return null
    if (!empty) found[name] = value
  }
  return found
}
