import type { CallNews, CallWords, Service } from '@/generated/frames'

export const SERVICES: readonly Service[] = ['110', '119', '120', '122']

/** Take a sentence in: one that was not final is replaced by the next with its number, in the order of the talk. */
export function heard(words: readonly CallWords[], next: CallWords): CallWords[] {
  const before = words.find((one) => one.n === next.n)
  if (before?.final !== false && before) return [...words] // told again: what is final stays
  return [...words.filter((one) => one.n !== next.n), next].sort((one, other) => one.n - other.n)
}

export const alarmOf = (news: CallNews): string => news.alarm ?? ''
