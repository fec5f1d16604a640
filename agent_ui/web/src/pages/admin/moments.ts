/** A moment as `11-21 20:15`, with the year where it is another one. */
export function moment(text: string, now: Date = new Date()): string {
  const at = new Date(text)
  const two = (value: number): string => String(value).padStart(2, '0')
  const year = at.getFullYear() === now.getFullYear() ? '' : `${at.getFullYear()}-`
  return `${year}${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`
}

/** A moment to the second, for the audit. */
export function exact(text: string): string {
  const at = new Date(text)
  const two = (value: number): string => String(value).padStart(2, '0')
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${time}`
}

/** The day of a moment. */
export const day = (text: string): string => text.slice(0, 10)
