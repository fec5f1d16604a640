// The page of marks: the ticket from which somebody came is that of the first mark, not of the next.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { expect, it, vi } from 'vitest'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import NewMark from '../src/pages/admin/NewMark.vue'
import NuisanceView from '../src/pages/admin/NuisanceView.vue'

const replace = vi.fn(async () => undefined)
vi.mock('vue-router', async (original) => ({ ...(await original<object>()), useRoute: () => ({ query: { view: 'nuisance', ticket: 'DG1' } }), useRouter: () => ({ replace }) }))
vi.mock('../src/http/client', () => ({ api: { GET: async () => [] }, answerOf: async () => [] }))

it('a mark after the first one is about nobody yet', async () => {
  setActivePinia(createPinia())
  await startLanguage()
  await loadWords('admin')
  const page = mount(NuisanceView, { global: { plugins: [i18n], stubs: { NewMark: true, PickTable: true } } })
  await flushPromises()
  const form = (): string => page.getComponent(NewMark).props('ticket')
  expect(form()).toBe('DG1')
  page.getComponent(NewMark).vm.$emit('close')
  await flushPromises()
  expect(replace).toHaveBeenCalledWith({ query: { view: 'nuisance' } })
  await page.get('header .el-button').trigger('click')
  expect(form()).toBe('')
})
