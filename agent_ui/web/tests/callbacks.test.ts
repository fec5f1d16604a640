// Callbacks: the telephone of what one has taken is in full, and how it stands is what the service says.
import { afterEach, expect, it, vi } from 'vitest'
import type { Callback } from '../src/generated/frames'
import { Problem } from '../src/http/problem'
import { settled, standin } from './standin'

vi.mock('../src/link', async () => (await import('./standin')).module)
vi.mock('../src/http/notice', () => ({ tell: vi.fn(), underWay: vi.fn() }))
const { useCallbacks } = await import('../src/pages/console/useCallbacks')

const FULL = '+8613812345678'
const entry = (id: number, more: Partial<Callback> = {}): Callback => ({
  id, call: `c${id}`, phone: '+86138****5678', missed_at: '2026-11-22T08:00:00Z', due_at: '2026-11-22T09:00:00Z', ...more,
})
const with_ = (agent: string, id = 1): Callback => entry(id, { state: 'assigned', agent })
const asked = (): number[] => standin.of('take_callback').map(({ ask }) => (ask as { callback?: number }).callback ?? 0)

async function desk(...rows: Callback[]): Promise<ReturnType<typeof useCallbacks>> {
  standin.pages.set('callbacks', { rows, seq: 100 })
  const found = standin.run(() => useCallbacks())
  await standin.load('callbacks')
  return found
}
async function taken(at: ReturnType<typeof useCallbacks>, id: number): Promise<boolean> {
  const taking = at.take()
  await settled()
  await standin.of('take_callback').at(-1)!.answer({ callback: { ...with_('li', id), phone: FULL } })
  await standin.tell('callback', with_('li', id))
  return taking
}
afterEach(() => standin.reset())

it('what was taken shows its telephone in full, though all that is told of it hides it', async () => {
  const at = await desk(entry(1), with_('wang', 2))
  expect(await taken(at, 1)).toBe(true)
  await standin.tell('callback', with_('li', 1))
  expect([at.mine.value?.id, at.phone.value, at.others.value, at.owed.value]).toEqual([1, FULL, [], 1])
})

it('what nobody has taken is shown, the longest waiting first, and counted with what one has', async () => {
  const at = await desk(entry(1), with_('wang', 2), entry(3), with_('li', 4))
  expect([at.others.value.map((one) => one.id), at.owed.value]).toEqual([[1, 3], 3])
})

it.each([
  ['the service has recorded that nobody answered', entry(1, { tries: [{ at: '2026-11-22T08:05:00Z', agent: 'li', result: 'no_answer' }] })],
  ['it is done', entry(1, { state: 'done', outcome: 'reached' })],
  ['it was held too long, and somebody else has it', with_('wang')],
])('it is no longer mine where %s', async (_, now) => {
  const at = await desk(entry(1))
  await taken(at, 1)
  await standin.tell('callback', now)
  expect([at.mine.value, at.phone.value]).toEqual([null, ''])
  await standin.tell('callback', with_('li'))
  expect(at.phone.value, 'nobody keeps a telephone that is not theirs').toBe('+86138****5678')
})

it('who had taken it before the page was loaded has its telephone again, asked for once', async () => {
  const at = await desk(with_('li'))
  void at.reveal()
  void at.reveal()
  await settled()
  expect(asked()).toEqual([1])
  await standin.of('take_callback')[0]!.answer({ callback: { ...with_('li'), phone: FULL } })
  await at.reveal()
  expect([at.phone.value, asked()]).toEqual([FULL, [1]])
})

it('what is just being taken is not taken again for its telephone, though its event comes first', async () => {
  const at = await desk(entry(1))
  const taking = at.take()
  await settled()
  await standin.tell('callback', with_('li'))
  const revealing = at.reveal()
  await standin.of('take_callback')[0]!.answer({ callback: { ...with_('li'), phone: FULL } })
  await Promise.all([taking, revealing])
  expect([at.phone.value, asked()]).toEqual([FULL, [0]])
})

it('of two that one has, that which was taken last is before one', async () => {
  const at = await desk(with_('li', 1), entry(2))
  await taken(at, 2)
  expect(at.mine.value?.id).toBe(2)
  await standin.tell('callback', entry(2, { state: 'done' }))
  expect(at.mine.value?.id).toBe(1)
})

it('a key pressed twice takes one, and nothing to take is told from a refusal', async () => {
  const at = await desk()
  const [first, second] = [at.take(), at.take()]
  await settled()
  expect(asked()).toEqual([0])
  await standin.of('take_callback')[0]!.answer({})
  expect([await first, await second]).toEqual([false, true])
  const refused = at.take()
  await settled()
  await standin.of('take_callback')[1]!.refuse(new Problem({ errorId: 'unavailable' }))
  expect(await refused).toBe(true)
})
