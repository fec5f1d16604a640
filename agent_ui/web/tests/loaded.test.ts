// What is loaded answers what is asked: figures of one question never stand under the filters of another.
import { expect, it, vi } from 'vitest'
import { ref } from 'vue'
import { Problem } from '../src/http/problem'

vi.mock('../src/http/notice', () => ({ tell: vi.fn() }))
const { useLoaded } = await import('../src/shared/useLoaded')

const away = new Problem({ errorId: 'unavailable' })

it('what could not be loaded for other filters leaves nothing of the earlier ones; the same again leaves what is there', async () => {
  const unit = ref('城管局')
  const answers: (string | Problem)[] = ['figures of 城管局', away, away, 'figures of 住建局']
  const told = useLoaded(async () => {
    const answer = answers.shift()!
    if (answer instanceof Problem) throw answer
    return answer
  }, () => unit.value)
  await vi.waitFor(() => expect(told.value.value).toBe('figures of 城管局'))
  expect(await told.again()).toBe(false)
  expect([told.value.value, told.failed.value]).toEqual(['figures of 城管局', true])
  unit.value = '住建局'
  expect(await told.again()).toBe(false)
  expect([told.value.value, told.failed.value, told.loading.value]).toEqual([undefined, true, false])
  expect(await told.again()).toBe(true)
  expect([told.value.value, told.failed.value]).toEqual(['figures of 住建局', false])
})

it('the failure of an earlier load does not take away what a later one brought', async () => {
  const about = ref('a')
  const fails: ((error: Problem) => void)[] = []
  const told = useLoaded(() => (about.value === 'a' ? new Promise<string>((_, reject) => fails.push(reject)) : Promise.resolve('b')), () => about.value)
  about.value = 'b'
  await told.again()
  fails[0]!(away)
  await Promise.resolve()
  expect([told.value.value, told.failed.value]).toEqual(['b', false])
})
