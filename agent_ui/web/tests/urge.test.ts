// 催办 on the citizens' page: said once, told that it was, and in the citizen's words where it was too early.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { computed, effectScope } from 'vue'
import { api } from '../src/http/client'
import { i18n, loadWords, speak } from '../src/i18n'
import TicketCard from '../src/pages/citizen/track/TicketCard.vue'
import UrgeForm from '../src/pages/citizen/track/UrgeForm.vue'
import { useTicket } from '../src/pages/citizen/track/useTicket'

const scope = effectScope()
const AGAIN = '2026-11-22T14:00:00+08:00'
const stands = (may: string[], urge_from: string | null = null) =>
  ({ data: { number: 'DG1', status: 'handling', steps: [], may, urge_from }, response: new Response() })

beforeEach(async () => {
  localStorage.clear()
  setActivePinia(createPinia())
  await loadWords('citizen')
  await speak('zh')
})
afterEach(() => vi.restoreAllMocks())

/** The form over a ticket that is open; `later` is how it stands when it is read again. */
async function shown(answer: object, later: object = stands(['supplement', 'urge'])) {
  vi.spyOn(api, 'GET').mockResolvedValue(later as never).mockResolvedValueOnce(stands(['supplement', 'urge']) as never)
  const post = vi.spyOn(api, 'POST').mockResolvedValue(answer as never)
  const ticket = scope.run(() => useTicket({ notFound: () => '' }))!
  await ticket.open({ number: 'DG1', code: '123456' })
  const may = computed(() => ticket.progress.value!.may.includes('urge'))
  const form = mount({ components: { UrgeForm }, setup: () => ({ ticket, may }), template: '<UrgeForm :ticket="ticket" :may="may" />' }, { global: { plugins: [i18n] } })
  return { form, ticket, post }
}

it('an urge is sent with its words, and the page says so instead of asking again', async () => {
  const { form, post } = await shown(stands(['supplement'], AGAIN))
  await form.get('input').setValue(' 三天了 ')
  await form.get('form').trigger('submit')
  await flushPromises()
  expect(post.mock.calls[0]).toEqual(['/api/v1/tickets/{number}/urges', { params: { path: { number: 'DG1' } }, body: { code: '123456', note: '三天了' } }])
  expect(form.find('form').exists()).toBe(false)
  expect(form.get('[role=status]').text()).toContain('已催办，承办单位会看到。11/22 14:00 起')
  form.unmount()
})
it('one that comes too early is refused in words, with the moment from which it may be urged; nothing written is lost', async () => {
  const refused = { error: { error_id: 'rate_limited', field: 'urge' }, response: new Response(null, { status: 429 }) }
  const { form, ticket } = await shown(refused, stands(['supplement'], AGAIN))
  await form.get('input').setValue('三天了')
  await form.get('form').trigger('submit')
  await flushPromises()
  expect(ticket.error.value).toContain('24 小时内已经催办过')
  expect(form.get('[role=status]').text()).toContain('11/22 14:00 起')
  Object.assign(ticket.progress.value!, stands(['supplement', 'urge']).data)
  await flushPromises()
  expect(form.get('input').element.value).toBe('三天了')
  form.unmount()
})
it('who comes back is told from when it may be urged again, in their language', async () => {
  await speak('en')
  const { form, ticket } = await shown({}, stands(['supplement'], AGAIN))
  await ticket.again()
  await flushPromises()
  expect(form.get('[role=status]').text()).toContain('You can urge again from 22/11, 14:00')
  form.unmount()
})

it('what was refused is brought into sight: the words stand at the head of the page, the forms far below', async () => {
  const seen = vi.fn()
  Element.prototype.scrollIntoView = seen
  const { form, ticket } = await shown({ error: { error_id: 'unavailable' }, response: new Response(null, { status: 503 }) })
  form.unmount()
  const card = mount(TicketCard, { props: { ticket } as never, global: { plugins: [i18n], stubs: { ParcelTrack: true, MoreForm: true, StepList: true } } })
  await ticket.urge('')
  await flushPromises()
  expect(card.get('[role=alert]').text()).not.toBe('')
  expect(seen.mock.contexts).toEqual([card.get('[role=alert]').element])
  card.unmount()
})
