import { ElMessage } from 'element-plus'
import { i18n } from '../i18n'
import { isProblem } from './problem'

/** Plainly typed: the library's own types unfold every message. */
const words = i18n.global as unknown as { t: (key: string, named?: Record<string, unknown>) => string; te: (key: string) => boolean }

/** The words in which an error is told to staff: the service's own detail, in English, may help who supports them. */
export const wordsOf = (error: unknown): string => told(error, isProblem(error) && error.errorId !== 'unauthenticated' ? error.detail : '')

/** The words for who is no expert: what to mend, where `mends` holds words for the field at fault. No detail. */
export function plainWordsOf(error: unknown, mends: string): string {
  const key = isProblem(error) ? `${mends}.${error.field}.${error.errorId}` : ''
  return key && words.te(key) ? words.t(key) : told(error, '')
}

function told(error: unknown, detail: string): string {
  const { t, te } = words
  if (!isProblem(error)) return t('shared.problem.internal')
  const title = te(`shared.problem.${error.errorId}`) ? t(`shared.problem.${error.errorId}`) : t('shared.problem.internal')
  const reference = error.reference ? t('shared.problem.reference', { reference: error.reference }) : ''
  return [title, detail, reference].filter(Boolean).join(' · ')
}

/** Show an error, after the words `first` where it has to be said what it means; what is no problem of the service is a mistake of ours, and
 * stands in the browser's log too. */
export function tell(error: unknown, first = ''): void {
  if (!isProblem(error)) console.error(error)
  ElMessage({ message: (first ? `${words.t(first)} · ` : '') + wordsOf(error), type: 'error', showClose: true, duration: 6000, grouping: true })
}

/** Tell of a danger that somebody has to see to: it stays until it is closed. */
export function alarm(key: string, named: Record<string, unknown>): void {
  ElMessage({ message: words.t(key, named), type: 'error', showClose: true, duration: 0, grouping: true })
}

/** Tell that something was not begun, and what it waits for. */
export function wait(message: string): void {
  ElMessage({ message, type: 'warning', duration: 4000, grouping: true })
}

/** Tell that something was not begun: what was asked before has no answer yet. */
export const underWay = (): void => wait(words.t('shared.underWay'))

/** Tell that something was done. */
export function done(message: string): void {
  ElMessage({ message, type: 'success', duration: 2500, grouping: true })
}
