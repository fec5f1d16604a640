// An answer that comes late, when another ticket is on the screen, is not shown there.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, type EffectScope } from 'vue'
import type { Looking, Opened } from '../src/generated/frames'
import { useLink } from '../src/link'
import { useTicket } from '../src/pages/console/useTicket'
import { useOpened } from '../src/pages/desk/useDesk'

let scope: EffectScope
beforeEach(() => {
  setActivePinia(createPinia())
  scope = effectScope()
})
afterEach(() => scope.stop())

/** Questions whose answers the test gives when it wants to. */
function questions<T>() {
  const asked: { about: string; answer: (found: T) => void }[] = []
  return { asked, ask: (about: string) => new Promise<T>((answer) => asked.push({ about, answer })) }
}
const opened = (number: string, phone: string, masked: boolean): Opened => ({
  ticket: { number, version: 1, appeal: { text: number, citizen: { phone } } }, events: [], commands: [], masked,
}) as unknown as Opened
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await nextTick()
}

describe('at a desk', () => {
  it('the citizen of one ticket, asked for in full, is not shown in the next', async () => {
    const { asked, ask } = questions<Opened>()
    vi.spyOn(useLink(), 'open').mockImplementation((number, more = {}) => ask(`${number} ${more.reason ?? ''}`))
    const desk = scope.run(useOpened)!
    desk.number.value = 'A'
    await settled()
    asked[0]!.answer(opened('A', '138****8000', true))
    await settled()
    void desk.unmask('核实')
    desk.number.value = 'B'
    await settled()
    asked.find((one) => one.about === 'B ')!.answer(opened('B', '139****9000', true))
    asked.find((one) => one.about === 'A 核实')!.answer(opened('A', '13800138000', false))
    await settled()
    expect([desk.ticket.value?.appeal.text, desk.ticket.value?.appeal.citizen?.phone, desk.masked.value]).toEqual(['B', '139****9000', true])
  })
})

describe('at a console', () => {
  it('who looks at one ticket is not shown at the next', async () => {
    const link = useLink()
    const { asked, ask } = questions<Looking[]>()
    vi.spyOn(link, 'open').mockImplementation((number) => Promise.resolve(opened(number, '', true)))
    vi.spyOn(link, 'ask').mockImplementation(async (one) => {
      const frame = one as { type: string; number: string; away?: boolean }
      return { type: 'ok', id: 1, looking: frame.away ? [] : await ask(frame.number) }
    })
    const desk = scope.run(() => useTicket({ done: (type) => type }))!
    const both = [desk.choose('A'), desk.choose('B')]
    asked.find((one) => one.about === 'B')!.answer([])
    asked.find((one) => one.about === 'A')!.answer([{ number: 'A', staff: 'li', name: 'Li', at: '' } as unknown as Looking])
    await Promise.all(both)
    expect([desk.number.value, desk.viewers.value]).toEqual(['B', []])
  })
})
