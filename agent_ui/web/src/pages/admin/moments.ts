/** A moment by China's clock, whatever the browser's is: read it by the UTC methods. China has one zone and no summer time. */
const inChina = (at: string | Date): Date => new Date(new Date(at).getTime() + 8 * 3600_000)
const two = (value: number): string => String(value).padStart(2, '0')

/** A moment as `11-21 20:15`, with the year where it is another one. */
export function moment(text: string, now: Date = new Date()): string {
  const at = inChina(text)
  const year = at.getUTCFullYear() === inChina(now).getUTCFullYear() ? '' : `${at.getUTCFullYear()}-`
  return `${year}${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`
}

/** A moment to the second, for the audit. */
export const exact = (text: string): string => inChina(text).toISOString().slice(0, 19).replace('T', ' ')

/** The day of a moment; without one, today. */
export const day = (at: string | Date = new Date()): string => inChina(at).toISOString().slice(0, 10)
