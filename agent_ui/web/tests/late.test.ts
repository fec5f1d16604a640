// An answer that comes late, when another ticket is on the screen, is not shown there.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, type EffectScope } from 'vue'
import type { Looking, Opened } from '../src/generated/frames'
import { api } from '../src/http/client'
import { Problem } from '../src/http/problem'
import { useLink } from '../src/link'
import { useTicket as useFollowed } from '../src/pages/citizen/track/useTicket'
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

describe('at a desk that shows a citizen in full', () => {
  const at = (version: number, text: string, phone: string, fact: object): Opened => ({
    ticket: { number: 'A', version, appeal: { text, citizen: { phone } } }, commands: [], masked: phone.includes('*'),
    events: [{ version, at: '', actor: { role: 'agent', name: 'li' }, state: 'handling', fact }],
  }) as unknown as Opened

  it('what the centre corrects is seen at once, and who the citizen is, when that is corrected', async () => {
    const [masked, full] = [opened('A', '138****8000', true), opened('A', '13800138000', false)]
    let stands = masked
    vi.spyOn(useLink(), 'open').mockImplementation((_, more = {}) => Promise.resolve(more.reason ? full : stands))
    vi.spyOn(useLink(), 'act').mockResolvedValue({ type: 'ok', id: 1 })
    const desk = scope.run(useOpened)!
    const appeal = () => [desk.ticket.value?.appeal.text, desk.ticket.value?.appeal.citizen?.phone, desk.masked.value]
    desk.choose('A')
    await settled()
    await desk.unmask('核实')
    await settled()
    expect(appeal()).toEqual(['A', '13800138000', false])
    stands = at(2, 'B', '138****8000', { type: 'correct', address: '鸿福路' })
    await desk.act({ type: 'add_note', text: 'x' })
    await settled()
    expect(appeal()).toEqual(['B', '13800138000', false])
    stands = at(3, 'B', '139****9000', { type: 'correct', citizen: { phone: '139****9000' } })
    await desk.act({ type: 'add_note', text: 'x' })
    await settled()
    expect(appeal()).toEqual(['B', '139****9000', true])
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
  it('a citizen shown in full stays so, until somebody has learnt otherwise', async () => {
    const link = useLink()
    const learnt = { version: 2, at: '', actor: { role: 'agent', name: 'li' }, state: 'received', fact: { type: 'correct', citizen: { phone: '+8613911119000' } } }
    const shown = [opened('A', '138****8000', true), opened('A', '13800138000', false), opened('A', '138****8000', true),
      { ...opened('A', '139****9000', true), events: [learnt] } as unknown as Opened]
    vi.spyOn(link, 'open').mockImplementation(() => Promise.resolve(shown.shift()!))
    vi.spyOn(link, 'ask').mockResolvedValue({ type: 'ok', id: 1 })
    vi.spyOn(link, 'act').mockResolvedValue({ type: 'ok', id: 1, version: 2 })
    const desk = scope.run(() => useTicket({ done: (type) => type }))!
    const phone = () => desk.opened.value?.ticket.appeal.citizen?.phone
    await desk.choose('A')
    await desk.unmask('核实')
    await desk.act({ type: 'add_note', text: 'x' })
    expect(phone()).toBe('13800138000')
    await desk.act({ type: 'correct', citizen: { phone: '13911119000' } })
    expect(phone()).toBe('139****9000')
  })
})

describe('a ticket that could not be opened', () => {
  /** Refused as long as `away`. */
  function refusing(link: ReturnType<typeof useLink>) {
    const service = { away: true, opens: 0 }
    vi.spyOn(link, 'ask').mockResolvedValue({ type: 'ok', id: 1 })
    vi.spyOn(link, 'open').mockImplementation(async (number) => {
      service.opens += 1
      if (service.away) throw new Problem({ errorId: 'unavailable' })
      return opened(number, '', true)
    })
    return service
  }

  it('is opened at a console when it is chosen again, and asked for once while it is under way', async () => {
    const service = refusing(useLink())
    const desk = scope.run(() => useTicket({ done: (type) => type }))!
    await expect(desk.choose('A')).rejects.toThrow('unavailable')
    service.away = false
    await Promise.all([desk.choose('A'), desk.choose('A')])
    await desk.choose('A')
    expect([desk.opened.value?.ticket.number, service.opens, desk.loading.value]).toEqual(['A', 2, false])
  })
  it("is opened at a unit's desk when it is chosen again", async () => {
    const service = refusing(useLink())
    const desk = scope.run(useOpened)!
    desk.choose('A')
    await settled()
    service.away = false
    desk.choose('A')
    await settled()
    desk.choose('A')
    await settled()
    expect([desk.ticket.value?.number, service.opens]).toEqual(['A', 2])
  })
})

describe("at a citizen's", () => {
  const response = new Response()
  const follow = () => scope.run(() => useFollowed({ notFound: () => 'not found' }))!
  const ticket = (number: string) => ({ number, code: '1' })
  const stands = (number: string, status = 'handling') => ({ data: { number, status }, response })
  /** `GET` of a ticket and `POST` to it are answered when the test wants it. */
  function service() {
    const [reads, acts] = [questions<object>(), questions<object>()]
    const of = (given: unknown): string => (given as { params: { path: { number: string } } }).params.path.number
    vi.spyOn(api, 'GET').mockImplementation(((_: string, given: unknown) => reads.ask(of(given))) as never)
    vi.spyOn(api, 'POST').mockImplementation(((_: string, given: unknown) => acts.ask(of(given))) as never)
    return { reads: reads.asked, acts: acts.asked }
  }
  afterEach(() => vi.restoreAllMocks())

  it('one ticket, asked for again, is not shown when another was opened', async () => {
    const { reads, acts } = service()
    const followed = follow()
    const first = followed.open(ticket('A'))
    reads[0]!.answer(stands('A'))
    expect(await first).toBe(true)
    const poll = followed.again()
    const second = followed.open(ticket('B'))
    expect(followed.progress.value).toBeNull()
    reads[2]!.answer(stands('B'))
    reads[1]!.answer(stands('A'))
    await Promise.all([poll, second])
    expect(followed.progress.value?.number).toBe('B')
    void followed.withdraw('')
    expect(acts.map((one) => one.about)).toEqual(['B'])
  })
  it('nothing comes back of a ticket that was left: the device may be shared', async () => {
    const { reads, acts } = service()
    const followed = follow()
    const first = followed.open(ticket('A'))
    reads[0]!.answer(stands('A'))
    await first
    const [poll, rating] = [followed.again(), followed.rate('satisfied', null, '')]
    followed.close()
    expect([followed.opened.value, followed.progress.value, followed.busy.value]).toEqual([null, null, false])
    reads[1]!.answer(stands('A'))
    acts[0]!.answer({ error: { error_id: 'not_found' }, response: new Response(null, { status: 404 }) })
    await Promise.all([poll, rating])
    expect([followed.progress.value, followed.error.value]).toEqual([null, ''])
    expect(await followed.withdraw('')).toBe(false)
    expect(acts).toHaveLength(1)
  })
  it('how a ticket stood before an act is not shown after it', async () => {
    const { reads, acts } = service()
    const followed = follow()
    const first = followed.open(ticket('A'))
    reads[0]!.answer(stands('A'))
    await first
    const [poll, withdrawal] = [followed.again(), followed.withdraw('')]
    acts[0]!.answer(stands('A', 'withdrawn'))
    expect(await withdrawal).toBe(true)
    reads[1]!.answer(stands('A', 'handling'))
    await poll
    expect(followed.progress.value?.status).toBe('withdrawn')
  })
  it('a supplement that reaches the service counts as sent, though its ticket was left', async () => {
    const { reads, acts } = service()
    const followed = follow()
    const first = followed.open(ticket('A'))
    reads[0]!.answer(stands('A'))
    await first
    const sent = followed.supplement('x', [], 'k')
    void followed.open(ticket('B'))
    acts[0]!.answer({ data: {}, response })
    await settled()
    expect(reads.map((one) => one.about)).toEqual(['A', 'B', 'A'])
    reads[2]!.answer(stands('A'))
    expect([await sent, followed.opened.value?.number, followed.progress.value]).toEqual([true, 'B', null])
  })
})
