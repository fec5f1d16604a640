// What a citizen types of what they read from a slip, a short message, or hear on the telephone: an input method writes full-width digits,
// a copy brings blanks and words with it. Pure.
const NUMBER = /[A-Z]{2}\d{10,}/

/** As it was meant: half-width, and without what nobody sees or what only parts it. */
const plain = (typed: string): string => typed.normalize('NFKC').replace(/[\s\u200b-\u200f\u2060\ufeff-]/g, '')

/** A ticket's number, out of the words that it was copied with. */
export function numberTyped(typed: string): string {
  const found = plain(typed).toUpperCase()
  return NUMBER.exec(found)?.[0] ?? found
}

export const codeTyped = plain

/** A telephone in half-width digits; how it is parted is the service's to read. */
export const phoneTyped = (typed: string): string => typed.normalize('NFKC').trim()
