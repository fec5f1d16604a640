// Personal data in what the public will read, told while it is being written. The service judges again (hotline/personal.py).
export type Kind = 'phone' | 'identity' | 'card' | 'mail' | 'plate' | 'person' | 'door'
export interface Found {
  kind: Kind
  text: string
  /** The service refuses it; else it is only flagged to the centre. */
  certain: boolean
}

const CERTAIN: readonly (readonly [Kind, RegExp])[] = [
  ['identity', /(?<![0-9A-Za-z])\d{6}\d{8}\d{3}[0-9Xx](?![0-9A-Za-z])/g],
  ['phone', /(?<![0-9A-Za-z])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![0-9A-Za-z])/g],
]
const CARD = /(?<![0-9])[1-9]\d{3}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}(?:[ -]?\d{3})?(?![0-9])/g
const DOUBTFUL: readonly (readonly [Kind, RegExp])[] = [
  ['mail', /[0-9A-Za-z._%+-]+@[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+/g],
  ['plate', /\p{Script=Han}[A-Z][·. ]?[0-9A-Z]{5,6}(?![0-9A-Za-z])/gu],
  ['person', /\p{Script=Han}\u67d0?(?:\u5148\u751f|\u5973\u58eb|\u5c0f\u59d0)/gu],
  ['door', /[0-9]+(?:\u680b|\u5e62|\u53f7\u697c|\u5ea7)[^\uff0c\u3002;,\uff1b\s]{0,12}?[0-9]{2,4}(?:\u623f|\u5ba4|\u53f7)/g],
]

/** Luhn's check digit, as bank cards have it. */
export function isCard(digits: string): boolean {
  let sum = 0
  for (let n = 0; n < digits.length; n += 1) {
    const digit = Number(digits[digits.length - 1 - n])
    const twice = digit * 2 - (digit > 4 ? 9 : 0)
    sum += n % 2 ? twice : digit
  }
  return sum % 10 === 0
}

const matches = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[0])

/** What a text holds, the certain first, each once. */
export function personalIn(text: string): Found[] {
  const cards = matches(text, CARD).filter((found) => isCard(found.replace(/[ -]/g, '')))
  const found: Found[] = [
    ...CERTAIN.flatMap(([kind, pattern]) => matches(text, pattern).map((one) => ({ kind, text: one, certain: true }))),
    ...cards.map((one) => ({ kind: 'card' as const, text: one, certain: true })),
    ...DOUBTFUL.flatMap(([kind, pattern]) => matches(text, pattern).map((one) => ({ kind, text: one, certain: false }))),
  ]
  return found.filter((one, index) => found.findIndex((other) => other.text === one.text) === index)
}
