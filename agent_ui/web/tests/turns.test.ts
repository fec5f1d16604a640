import { describe, expect, it } from 'vitest'
import { turns } from '../src/shared/turns'

describe('what is asked of a call', () => {
  const held = (): { open: () => void; gate: Promise<void> } => {
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    return { open, gate }
  }
  it('is done in turn: a key pressed before the answer to the last has come is not lost', async () => {
    const { busy, take } = turns()
    const done: string[] = []
    const { open, gate } = held()
    const hold = take('hold', async () => (await gate, done.push('hold')))
    const resume = take('resume', async () => done.push('resume'))
    expect([busy.value, done]).toEqual([true, []])
    open()
    expect([await hold, await resume, done, busy.value]).toEqual([1, 2, ['hold', 'resume'], false])
  })
  it('is done once, though the key was pressed twice, and again afterwards', async () => {
    const { take } = turns()
    const { open, gate } = held()
    const first = take('hold', () => gate.then(() => 'held'))
    expect(await take('hold', async () => 'twice')).toBeNull()
    open()
    expect([await first, await take('hold', async () => 'again')]).toEqual(['held', 'again'])
  })
  it('goes on after a refusal, which is told to who asked', async () => {
    const { busy, take } = turns()
    const refused = take('hold', () => Promise.reject(new Error('gone')))
    const next = take('hang_up', async () => 'ended')
    await expect(refused).rejects.toThrow('gone')
    expect([await next, busy.value]).toEqual(['ended', false])
  })
})
