// An agent's presence over a line that breaks: what the console shows is what the service has.
import { afterEach, expect, it, vi } from 'vitest'
import type { Presence } from '../src/generated/frames'
import { standin, settled } from './standin'

vi.mock('../src/link', async () => (await import('./standin')).module)
const told = vi.hoisted(() => [] as string[])
vi.mock('../src/http/notice', () => ({ tell: vi.fn(), underWay: vi.fn(), wait: (words: string) => told.push(words) }))
const { usePresence } = await import('../src/pages/console/usePresence')

const since = (minute: number): string => new Date(Date.UTC(2026, 10, 22, 8, minute)).toISOString()
const li = (state: Presence['state'], minute: number, reason = ''): Presence => ({ staff: 'li', state, since: since(minute), reason })
const choices = (): string[] => standin.of('presence').map(({ ask }) => `${(ask as { state: string }).state} ${(ask as { reason?: string }).reason ?? ''}`.trim())

async function seated(as: Presence): Promise<ReturnType<typeof usePresence>> {
  const desk = standin.run(() => usePresence({ putBack: (now) => `back as ${now.state}`, signedOut: () => 'signed out' }))
  await standin.load('presence')
  await standin.of('presence')[0]!.answer({ presence: li('not_ready', 0, 'paperwork') })
  void desk.choose({ state: as.state, ...(as.reason ? { reason: 'meal' } : {}) })
  await settled()
  await standin.of('presence')[1]!.answer({ presence: as })
  expect(desk.mine.value).toEqual(as)
  standin.asked = []
  return desk
}
afterEach(() => {
  standin.reset()
  told.length = 0
})

it('whoever comes to their desk is there, but takes no calls yet', async () => {
  const desk = standin.run(() => usePresence({ putBack: () => '', signedOut: () => '' }))
  expect(choices()).toEqual([])
  await standin.load('presence')
  expect(choices()).toEqual(['not_ready paperwork'])
  await standin.of('presence')[0]!.answer({ presence: li('not_ready', 0, 'paperwork') })
  expect(desk.mine.value?.state).toBe('not_ready')
})

it('a page that is loaded anew leaves an available agent as they are', async () => {
  standin.pages.set('presence', { rows: [li('available', 1)], seq: 100 })
  const desk = standin.run(() => usePresence({ putBack: () => '', signedOut: () => '' }))
  await standin.load('presence')
  expect([desk.mine.value?.state, choices()]).toEqual(['available', []])
})

it.each([
  [li('available', 1), 'available'], [li('not_ready', 1, 'meal'), 'not_ready meal'],
] as const)('who was signed out by a broken line is put back as they were, and told: %o', async (as, choice) => {
  const desk = await seated(as)
  for (const back of standin.returns) back() // the line is back; what was missed has not come yet
  expect(choices()).toEqual([])
  await standin.tell('presence', li('offline', 2, 'lease'))
  expect(desk.mine.value?.state, 'what is so is shown until it is mended').toBe('offline')
  expect(choices()).toEqual([choice])
  await standin.of('presence')[0]!.answer({ presence: { ...as, since: since(3) } })
  expect([desk.mine.value?.state, told]).toEqual([as.state, [`back as ${as.state}`]])
})

it('who was in a call, or in its wrap-up, takes no calls before they say so', async () => {
  await seated(li('available', 1))
  await standin.tell('presence', li('talking', 2))
  await standin.tell('presence', li('offline', 3, 'lease'))
  expect(choices()).toEqual(['not_ready paperwork'])
})

it('who is back already at another desk is not put back', async () => {
  await seated(li('available', 1))
  for (const hearer of standin.hearers) {
    const event = { seq: 1, at: '', type: 'presence', actor: 'staff:li', number: '' }
    hearer({ ...event, data: li('offline', 2, 'lease') } as never)
    hearer({ ...event, data: li('not_ready', 3, 'meal') } as never)
  }
  await settled()
  expect(choices()).toEqual([])
})

it('whom a supervisor signs out is told, and stays signed out', async () => {
  const desk = await seated(li('available', 1))
  await standin.tell('presence', li('offline', 2), 'staff:boss')
  expect([desk.mine.value?.state, choices(), told]).toEqual(['offline', [], ['signed out']])
})

it('who signs out stays out, without a word', async () => {
  const desk = await seated(li('available', 1))
  await standin.tell('presence', li('offline', 2), 'staff:li')
  for (const back of standin.returns) back()
  expect([desk.mine.value?.state, choices(), told]).toEqual(['offline', [], []])
})

it('an older word does not undo a later one', async () => {
  const desk = await seated(li('available', 3))
  await standin.tell('presence', li('offline', 2, 'lease'))
  expect([desk.mine.value?.state, choices()]).toEqual(['available', []])
})

it('whom a fresh list does not have any more takes no calls before they say so', async () => {
  const desk = await seated(li('available', 1))
  await standin.load('presence')
  expect([desk.mine.value, choices()]).toEqual([null, ['not_ready paperwork']])
})
