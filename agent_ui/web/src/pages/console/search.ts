import type { Summary } from '@/generated/frames'
import type { Ask } from '@/link/machine'

const NUMBER = /^[A-Z]{2}\d{10,}$/i
const PHONE = /^\+?[\d\s()-]{7,20}$/

/** What somebody typed, as a search: a ticket's number, a telephone, or words. */
export function searchOf(typed: string): Extract<Ask, { type: 'search' }> {
  const words = typed.trim()
  const digits = words.normalize('NFKC') // an input method may have written them full-width
  if (NUMBER.test(digits)) return { type: 'search', number: digits.toUpperCase() }
  return PHONE.test(digits) ? { type: 'search', phone: digits } : { type: 'search', text: words }
}

/** What was found, with a row that has come since in the place of its older one. What changes stays: it was looked for. */
export function renewed(found: Summary[] | null, row: Summary): Summary[] | null {
  const older = found?.find((one) => one.number === row.number && one.version < row.version)
  return older ? found!.map((one) => (one === older ? row : one)) : found
}
