import createClient from 'openapi-fetch'
import type { paths } from '../generated/http'
import { Problem, problemOf } from './problem'

/** The HTTP interface, typed from its OpenAPI document: `answerOf(api.GET('/api/v1/session'))`. */
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? '', credentials: 'same-origin' })

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** Return what a request brought, or throw the Problem that it met. */
export async function answerOf<T>(request: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await request
  } catch {
    throw new Problem({ errorId: 'offline' }) // no answer came at all
  }
  if (!answer.response.ok) throw problemOf(answer.response.status, answer.error)
  return answer.data as T
}
