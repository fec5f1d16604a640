/** An error of the service (problem+json), of its console, or of the line; `errorId` is stable. */
export class Problem extends Error {
  readonly errorId: string
  readonly detail: string
  readonly status: number
  readonly reference: string
  /** What of the input is to be mended, '' where it is not one thing. */
  readonly field: string

  constructor(given: { errorId: string; detail?: string; status?: number; reference?: string; field?: string }) {
    super(`${given.errorId}: ${given.detail ?? ''}`)
    this.name = 'Problem'
    this.errorId = given.errorId
    this.detail = given.detail ?? ''
    this.status = given.status ?? 0
    this.reference = given.reference ?? ''
    this.field = given.field ?? ''
  }
}

/** Tell whether an error is a problem, of one kind where given. */
export const isProblem = (error: unknown, errorId?: string): error is Problem =>
  error instanceof Problem && (errorId === undefined || error.errorId === errorId)

const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The problem that a response tells; one of a proxy in between may have no body of ours. */
export function problemOf(status: number, body: unknown): Problem {
  const told = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const errorId = asText(told.error_id) || (status >= 500 ? 'unavailable' : 'invalid_input')
  return new Problem({ errorId, detail: asText(told.detail), status, reference: asText(told.reference), field: asText(told.field) })
}
