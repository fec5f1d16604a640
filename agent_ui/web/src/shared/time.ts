// Times for people. The service's zone is China's, whatever the browser's is.
const ZONE = 'Asia/Shanghai'

/** A length of time in parts, of its absolute value. */
export interface Parts {
  days: number
  hours: number
  minutes: number
}

export function partsOf(ms: number): Parts {
  const minutes = Math.floor(Math.abs(ms) / 60_000)
  return { days: Math.floor(minutes / 1440), hours: Math.floor((minutes % 1440) / 60), minutes: minutes % 60 }
}

type Translate = (key: string, named: Record<string, unknown>) => string

/** “2天3时” · “3时5分” · “5分”. */
export function lengthOf(ms: number, t: Translate): string {
  const { days, hours, minutes } = partsOf(ms)
  if (days > 0) return t('shared.clock.days', { d: days, h: hours })
  return hours > 0 ? t('shared.clock.hours', { h: hours, m: minutes }) : t('shared.clock.minutes', { n: minutes })
}

const formats = new Map<string, Intl.DateTimeFormat>()

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale, { timeZone: ZONE, hour12: false, ...options })))
  return found
}

const tag = (language: string): string => (language === 'en' ? 'en-GB' : 'zh-CN')

/** Month, day, hour and minute. */
export const momentOf = (at: string | number, language: string): string =>
  format(tag(language), { month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' }).format(new Date(at))

/** Hour and minute. */
export const timeOf = (at: string | number, language: string): string =>
  format(tag(language), { hour: '2-digit', minute: '2-digit' }).format(new Date(at))

/** The whole moment, for a title. */
export const fullOf = (at: string | number, language: string): string =>
  format(tag(language), { dateStyle: 'long', timeStyle: 'medium' } as Intl.DateTimeFormatOptions).format(new Date(at))

/** m:ss of a running timer. */
export const timerOf = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const rest = String(seconds % 60).padStart(2, '0')
  return seconds >= 3600
    ? `${Math.floor(seconds / 3600)}:${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}:${rest}`
    : `${Math.floor(seconds / 60)}:${rest}`
}
