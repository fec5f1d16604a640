// The city's own words – categories, units, towns – are there as soon as they can be.
import { afterEach, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import type { CityTerms } from '../src/generated/frames'
import { Problem } from '../src/http/problem'
import { standin } from './standin'

vi.mock('../src/link', async () => (await import('./standin')).module)
vi.mock('../src/http/notice', () => ({ tell: vi.fn() }))
const { useAids } = await import('../src/pages/console/useAids')

afterEach(() => standin.reset())

it('the words of the city that could not be had are asked for again, at once when the line is back', async () => {
  const aids = standin.run(() => useAids({ opened: ref(null) } as never))
  await standin.of('terms')[0]!.refuse(new Problem({ errorId: 'unavailable' }))
  for (const back of standin.returns) back()
  const terms: CityTerms = { city: '东莞', categories: [], units: ['城管局'], towns: ['南城'], queues: [] }
  await standin.of('terms')[1]!.answer({ terms })
  for (const back of standin.returns) back()
  expect([aids.terms.value, standin.of('terms').length]).toEqual([terms, 2])
})
