// The words that led to a judgement, marked in the citizen's text. Pure.
import type { Evidence } from '@/generated/frames'

export type Why = 'danger' | 'category'
export interface Part {
  text: string
  why: Why | null
}

/** Danger where a rule or the model of verdicts says so, else the category. */
export const whyOf = (evidence: Evidence): Why => (evidence.rule.startsWith('category:') ? 'category' : 'danger')

/**
 * Cut a text where marks begin and end. Offsets count characters as the service does (code points), so that a text with
 * emoji is cut right; where two marks overlap, danger is shown.
 */
export function marked(text: string, evidence: readonly Evidence[]): Part[] {
  const signs = [...text]
  const why: (Why | null)[] = new Array<Why | null>(signs.length).fill(null)
  for (const one of [...evidence].sort((a, b) => Number(whyOf(a) === 'danger') - Number(whyOf(b) === 'danger'))) {
    why.fill(whyOf(one), Math.max(0, one.start ?? 0), Math.min(signs.length, one.end ?? 0))
  }
  const parts: Part[] = []
  signs.forEach((sign, at) => {
    const last = parts.at(-1)
    if (last && last.why === why[at]) last.text += sign
    else parts.push({ text: sign, why: why[at] ?? null })
  })
  return parts
}
