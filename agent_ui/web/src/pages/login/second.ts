import { isProblem } from '@/http/problem'

/** Tell whether the service asks for the second factor, because none was given or the one given is wrong. */
export const wantsCode = (error: unknown): boolean => isProblem(error, 'code_needed') || isProblem(error, 'code_wrong')

/** The page that was wanted before the log-in: only one of ours, never another site's. */
export function targetOf(asked: unknown): string | null {
  return typeof asked === 'string' && /^\/(?![/\\])/.test(asked) ? asked : null
}
