// One ticket by number and code: read, read again while the page is open, and acted on.
import { onScopeDispose, ref, shallowRef } from 'vue'
import { answerOf, api } from '@/http/client'
import { isProblem } from '@/http/problem'
import { toldOf } from '../kit/told'
import type { Progress, Rating } from '../kit/wire'
import type { Opened } from '../kit/ticketLink'

const EVERY = 15_000

export function useTicket(words: { notFound: () => string }) {
  const opened = shallowRef<Opened | null>(null)
  const progress = ref<Progress | null>(null)
  const error = ref('')
  const busy = ref(false)
  const stale = ref(false)
  /** Counts what was begun: an answer that comes when something else was begun since, or the ticket was left, is not shown. */
  let round = 0
  const timer = setInterval(() => void again(), EVERY)
  onScopeDispose(() => clearInterval(timer))

  const read = async ({ number, code }: Opened): Promise<Progress> =>
    (await answerOf(api.GET('/api/v1/tickets/{number}', { params: { path: { number }, query: { code } } }))) as Progress

  async function open(ticket: Opened): Promise<boolean> {
    close()
    opened.value = ticket
    return (await trying(read)) && opened.value === ticket
  }

  /** Leave the ticket: the next who uses this device sees nothing of it. */
  function close(): void {
    round += 1
    opened.value = progress.value = null
    error.value = ''
    busy.value = stale.value = false
  }

  /** Read again; a line that is down for a moment leaves what is shown. */
  async function again(): Promise<void> {
    if (!opened.value || !progress.value || busy.value || document.hidden) return
    const mine = (round += 1)
    try {
      const found = await read(opened.value)
      if (mine === round) [progress.value, stale.value] = [found, false]
    } catch (problem) {
      if (!isProblem(problem)) throw problem
      if (mine === round) stale.value = true
    }
  }

  /** Do something with the ticket that is open now, and show how it stands after; true if it was done. */
  async function trying(act: (ticket: Opened) => Promise<Progress>): Promise<boolean> {
    if (!opened.value) return false
    const mine = (round += 1)
    busy.value = true
    error.value = ''
    try {
      const found = await act(opened.value)
      if (mine === round) [progress.value, stale.value] = [found, false]
      return true
    } catch (problem) {
      if (mine === round) error.value = isProblem(problem, 'not_found') && !problem.field ? words.notFound() : toldOf(problem)
      return false
    } finally {
      if (mine === round) busy.value = false
    }
  }

  /** Add words and files; `key` stays the same until it is answered. */
  const supplement = (text: string, files: { key: string; name: string }[], key: string): Promise<boolean> => trying(async (ticket) => {
    const body = { code: ticket.code, text, attachments: files }
    const params = { path: { number: ticket.number }, header: { 'Idempotency-Key': key } }
    await answerOf(api.POST('/api/v1/tickets/{number}/messages', { params, body: body as never }))
    return await read(ticket)
  })

  /** Urge; where another of its citizens was first, the ticket read again tells from when it may be urged. */
  async function urge(note: string): Promise<boolean> {
    const done = await trying(async ({ number, code }) =>
      (await answerOf(api.POST('/api/v1/tickets/{number}/urges', { params: { path: { number } }, body: { code, note } as never }))) as Progress)
    if (!done) await again()
    return done
  }

  const rate = (rating: Rating, solved: boolean | null, note: string): Promise<boolean> => trying(async ({ number, code }) => {
    const body = { code, rating, note, ...(solved === null ? {} : { solved }) }
    return (await answerOf(api.POST('/api/v1/tickets/{number}/rating', { params: { path: { number } }, body: body as never }))) as Progress
  })

  const withdraw = (reason: string): Promise<boolean> => trying(async ({ number, code }) =>
    (await answerOf(api.POST('/api/v1/tickets/{number}/withdrawal', { params: { path: { number } }, body: { code, reason } as never }))) as Progress)

  return { opened, progress, error, busy, stale, open, close, again, supplement, urge, rate, withdraw }
}
