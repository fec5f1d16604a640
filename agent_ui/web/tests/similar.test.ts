// A ticket that is merged into another stays before the agent: where to go on is theirs to choose.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { ref } from 'vue'
import type { SimilarTicket } from '../src/generated/frames'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import { useLink } from '../src/link'
import SimilarBox from '../src/pages/console/SimilarBox.vue'
import type { Aids } from '../src/pages/console/useAids'
import type { TicketDesk } from '../src/pages/console/useTicket'

beforeAll(async () => {
  await startLanguage()
  await loadWords('console')
})
beforeEach(() => setActivePinia(createPinia()))

it('a ticket that was merged is not taken away from who merged it', async () => {
  const asked = vi.spyOn(useLink(), 'ask').mockResolvedValue({ type: 'ok', id: 1 })
  const desk = { number: ref('DG1'), busy: ref(false), allows: () => true } as unknown as TicketDesk
  const other = { number: 'DG2', reasons: [], summary: { title: '停水', state: 'handling' } } as unknown as SimilarTicket
  const box = mount(SimilarBox, { props: { desk, aids: { similar: ref([other]) } as unknown as Aids }, global: { plugins: [i18n] } })
  await box.find('.el-button').trigger('click')
  await flushPromises()
  expect(asked).toHaveBeenCalledWith({ type: 'merge', into: 'DG2', numbers: ['DG1'] })
  expect(box.emitted('choose')).toBeUndefined()
  await box.find('.title').trigger('click')
  expect(box.emitted('choose')).toEqual([['DG2']])
})
