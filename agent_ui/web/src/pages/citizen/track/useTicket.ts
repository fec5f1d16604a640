// One ticket by number and code: read, read again while the page is open, and acted on.
import { onBeforeUnmount, ref } from 'vue'
import { answerOf, api } from '@/http/client'
import { isProblem } from '@/http/problem'
import { toldOf } from '../kit/told'
import type { Progress, Rating } from '../kit/wire'
import type { Opened } from '../kit/ticketLink'

const EVERY = 15_000

export function useTicket(words: { notFound: () => string }) {
  const opened = ref<Opened | null>(null)
  const progress = ref<Progress | null>(null)
  const error = ref('')
  const busy = ref(false)
  const stale = ref(false)
  const timer = setInterval(() => void again(), EVERY)
  onBeforeUnmount(() => clearInterval(timer))

  const path = () => ({ number: opened.value!.number })
  const code = () => opened.value!.code
  const read = async () =>
    (await answerOf(api.GET('/api/v1/tickets/{number}', { params: { path: path(), query: { code: code() } } }))) as Progress

  async function open(ticket: Opened): Promise<boolean> {
    opened.value = ticket
    progress.value = null
    return trying(async () => (progress.value = await read()))
  }

  /** Read again; a line that is down for a moment leaves what is shown. */
  async function again(): Promise<void> {
    if (!progress.value || busy.value || document.hidden) return
    try {
      progress.value = await read()
      stale.value = false
    } catch (problem) {
      if (!isProblem(problem)) throw problem
      stale.value = true
    }
  }

  async function trying(act: () => Promise<unknown>): Promise<boolean> {
    busy.value = true
    error.value = ''
    try {
      await act()
      stale.value = false
      return true
    } catch (problem) {
      error.value = isProblem(problem, 'not_found') && !problem.field ? words.notFound() : toldOf(problem)
      return false
    } finally {
      busy.value = false
    }
  }

  /** Add words and files; `key` stays the same until it is answered. */
  const supplement = (text: string, files: string[], key: string): Promise<boolean> => trying(async () => {
    const body = { code: code(), text, attachments: files.map((one) => ({ key: one })) }
    const header = { 'Idempotency-Key': key }
    await answerOf(api.POST('/api/v1/tickets/{number}/messages', { params: { path: path(), header }, body: body as never }))
    progress.value = await read()
  })

  const rate = (rating: Rating, solved: boolean | null, note: string): Promise<boolean> => trying(async () => {
    const body = { code: code(), rating, note, ...(solved === null ? {} : { solved }) }
    const told = await answerOf(api.POST('/api/v1/tickets/{number}/rating', { params: { path: path() }, body: body as never }))
    progress.value = told as Progress
  })

  const withdraw = (reason: string): Promise<boolean> => trying(async () => {
    const body = { code: code(), reason }
    const told = await answerOf(api.POST('/api/v1/tickets/{number}/withdrawal', { params: { path: path() }, body: body as never }))
    progress.value = told as Progress
  })

  return { opened, progress, error, busy, stale, open, again, supplement, rate, withdraw }
}
