// The words that led to a judgement, marked in the citizen's text with what they led to. Pure.
import type { Evidence } from '@/generated/frames'

export type Why = 'danger' | 'category'
export interface Part {
  text: string
  why: Why | null
  /** What each of the marks goes by, for who asks why: `rule:fire`, `model:…`, `category:…`. */
  rules: readonly string[]
}

/** Danger where a rule or the model of verdicts says so, else the category; that a sender is marked is told by no word of the text. */
export const whyOf = ({ rule }: Pick<Evidence, 'rule'>): Why | null =>
  rule === 'nuisance' ? null : rule.startsWith('category:') ? 'category' : 'danger'

/** The words for a rule, as the catalogue has them (`console.mark`), and what fills their gap. */
export function wordsOfRule(rule: string): { key: 'category' | 'danger' | 'model' | 'unheard'; what: string } {
  const [kind = '', what = ''] = [rule.split(':', 1)[0], rule.slice(rule.indexOf(':') + 1)]
  if (kind === 'category') return { key: 'category', what: what.replace(/^\d+/, '') }
  return kind === 'model' || kind === 'unheard' ? { key: kind, what: '' } : { key: 'danger', what }
}

/**
 * Where the words stand. Offsets are of the text as it was told; where masking has made what stands before them shorter, they are
 * found at the nearest place that has them.
 */
function placeOf(signs: readonly string[], { text, start = 0, end = 0 }: Evidence): [number, number] {
  const words = [...text]
  const fits = (at: number): boolean => at >= 0 && words.every((sign, n) => signs[at + n] === sign)
  if (end <= start || words.length === 0) return [start, end]
  for (let off = 0; off <= signs.length + start; off += 1) {
    for (const at of [start - off, start + off]) if (fits(at)) return [at, at + words.length]
  }
  return [start, end]
}

/**
 * Cut a text where marks begin and end. Offsets count characters as the service does (code points), so that a text with
 * emoji is cut right; where two marks overlap, danger is shown.
 */
export function marked(text: string, evidence: readonly Evidence[]): Part[] {
  const signs = [...text]
  const over = signs.map((): Evidence[] => [])
  for (const one of evidence) {
    const [from, to] = placeOf(signs, one)
    if (whyOf(one)) over.slice(Math.max(0, from), Math.max(0, to)).forEach((here) => here.push(one))
  }
  const parts: Part[] = []
  signs.forEach((sign, at) => {
    const part = partOf(sign, over[at]!)
    const last = parts.at(-1)
    if (last && last.why === part.why && last.rules.join() === part.rules.join()) last.text += sign
    else parts.push(part)
  })
  return parts
}

function partOf(text: string, over: readonly Evidence[]): Part {
  const why = over.some((one) => whyOf(one) === 'danger') ? 'danger' : over.length ? 'category' : null
  return { text, why, rules: [...new Set(over.filter((one) => whyOf(one) === why).map((one) => one.rule))] }
}
