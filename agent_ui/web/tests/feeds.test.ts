// Lists that could not be loaded are loaded as soon as they can be.
import { createPinia, setActivePinia } from 'pinia'
import { isReactive } from 'vue'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Summary } from '../src/generated/frames'
import { Problem } from '../src/http/problem'
import { useLink } from '../src/link'
import { Feeds } from '../src/link/feeds'

const row = { number: 'A', version: 1, state: 'received' } as Summary
const away = new Problem({ errorId: 'unavailable' })

/** Topics over a service that answers as the test says. */
function service() {
  const asked: { cursor: string; page: (next?: string) => Promise<unknown>; refuse: (why: Problem) => Promise<unknown> }[] = []
  const told: unknown[] = []
  const take = (_topic: string, cursor: string): Promise<never> => new Promise((resolve, reject) => asked.push({
    cursor,
    page: (next = '') => (resolve({ type: 'snapshot', topic: 'centre', seq: 1, rows: [row], next } as never), vi.advanceTimersByTimeAsync(0)),
    refuse: (why) => (reject(why), vi.advanceTimersByTimeAsync(0)),
  }))
  return { asked, told, feeds: new Feeds(take, () => undefined, () => undefined, (error) => told.push(error)) }
}
beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

it('a list whose snapshot fails is asked for again, later each time, and its failure told once', async () => {
  const { asked, told, feeds } = service()
  const feed = feeds.use('centre')
  for (let tries = 1; tries <= 3; tries += 1) {
    expect(asked).toHaveLength(tries)
    await asked.at(-1)!.refuse(away)
    await vi.advanceTimersByTimeAsync(200)
    expect(asked, 'not at once').toHaveLength(tries)
    await vi.advanceTimersByTimeAsync(15_000)
  }
  expect(feed.loading.value).toBe(true)
  await asked.at(-1)!.page('2')
  await asked.at(-1)!.refuse(away) // a later page
  await vi.advanceTimersByTimeAsync(15_000)
  expect(asked.at(-1)!.cursor).toBe('')
  await asked.at(-1)!.page()
  expect([feed.loading.value, [...feed.tickets.rows()], told]).toEqual([false, [row], [away]])
})

it('when the line is back it is asked for at once, and what is loaded is not', async () => {
  const { asked, feeds } = service()
  const [failed, loaded] = [feeds.use('centre'), feeds.use('alarms')]
  await asked[1]!.page()
  await asked[0]!.refuse(away)
  feeds.hurry()
  expect(asked).toHaveLength(3)
  feeds.hurry() // it is under way
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toHaveLength(3)
  await asked[2]!.page()
  expect([failed.loading.value, loaded.loading.value]).toEqual([false, false])
})

it('a list that nobody wants any more, and one that is not for them, are not asked for again', async () => {
  const { asked, told, feeds } = service()
  const feed = feeds.use('centre')
  await asked[0]!.refuse(away)
  feeds.leave(feed)
  feeds.use('tickets')
  const forbidden = new Problem({ errorId: 'forbidden' })
  await asked[1]!.refuse(forbidden)
  await vi.advanceTimersByTimeAsync(60_000)
  expect([asked.length, told]).toEqual([2, [away, forbidden]])
})

it('a list that is to be loaded anew is asked for once, though an older try had failed or fails later', async () => {
  const { asked, told, feeds } = service()
  const feed = feeds.use('centre')
  feeds.reload()
  await asked[0]!.refuse(away)
  await asked[1]!.page()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([asked.length, feed.loading.value, told]).toEqual([2, false, []])
})

it('everybody who uses a topic has the same feed, as it is', () => {
  setActivePinia(createPinia())
  const { feeds } = useLink()
  const [one, other] = [feeds.use('presence'), feeds.use('presence')]
  expect([other === one, isReactive(other), other.loading.value]).toEqual([true, false, true])
})
