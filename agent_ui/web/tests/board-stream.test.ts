// The board's stream: one while the board is looked at, none after.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { effectScope } from 'vue'
import { useSession } from '../src/session'

vi.mock('vue-router', async (original) => ({ ...(await original<object>()), useRouter: () => ({ push: vi.fn() }) }))
const { useBoard } = await import('../src/pages/board/useBoard')

class Source extends EventTarget {
  static readonly CLOSED = 2
  static all: Source[] = []
  readyState = 1
  close = (): void => void (this.readyState = 2)
  constructor() {
    super()
    Source.all.push(this)
  }
}
const open = (): number => Source.all.filter((one) => one.readyState !== 2).length

beforeEach(() => {
  setActivePinia(createPinia())
  vi.useFakeTimers()
  vi.stubGlobal('EventSource', Source)
  Source.all = []
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

it('a board that is left while it asks whether its person is still logged in opens no stream', async () => {
  const answers: ((staff: null) => void)[] = []
  vi.spyOn(useSession(), 'whoIsIt').mockImplementation(() => new Promise((answer) => {
    answers.push(() => answer({ name: 'boss', display_name: '班', role: 'supervisor' } as never))
  }))
  const scope = effectScope()
  scope.run(useBoard)
  Source.all[0]!.close()
  Source.all[0]!.dispatchEvent(new Event('error'))
  await vi.advanceTimersByTimeAsync(3000)
  scope.stop()
  answers[0]!(null)
  await vi.advanceTimersByTimeAsync(0)
  expect([answers.length, open()]).toEqual([1, 0])
})
