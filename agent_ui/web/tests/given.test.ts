// Chats given to an agent: each person at a desk is told of theirs.
import { afterEach, expect, it, vi } from 'vitest'
import { nextTick, ref } from 'vue'
import type { Summary } from '../src/generated/frames'
import { standin } from './standin'

vi.mock('../src/link', async () => (await import('./standin')).module)
const { useGiven } = await import('../src/pages/console/useGiven')

const chat = { number: 'DG1', version: 1, state: 'received', chat: true, created_at: '2026-11-21T00:00:00Z' } as Summary
afterEach(() => standin.reset())

it('a chat that one agent had before them and that is given on at the change of shift is told to the next at the same computer', async () => {
  const open = ref('')
  const first = standin.run(() => useGiven('li', open, () => [chat]))
  open.value = 'DG1'
  await nextTick()
  expect(first.value).toEqual([])
  standin.reset()
  const next = standin.run(() => useGiven('wang', ref(''), () => [chat]))
  expect(next.value).toEqual([chat])
  standin.reset()
  expect(standin.run(() => useGiven('li', ref(''), () => [chat])).value).toEqual([])
})
