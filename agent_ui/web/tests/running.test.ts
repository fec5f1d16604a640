// The clock at the head of a ticket: the one that runs, and none once nothing is due any more.
import { mount } from '@vue/test-utils'
import { createPinia } from 'pinia'
import { beforeAll, expect, it } from 'vitest'
import { computed, ref } from 'vue'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import TicketPanel from '../src/pages/console/TicketPanel.vue'

const OVER = '2026-11-10T09:00:00+08:00'

beforeAll(async () => {
  await startLanguage()
  await loadWords('console')
})

function clockOf(state: string, clocks: object, due?: string) {
  const ticket = { number: 'DG1', state, channel: 'app', created_at: OVER, clocks, appeal: {}, triage: {} }
  const opened = ref({ ticket, commands: [], masked: true, due })
  const desk = { opened, number: ref('DG1'), busy: ref(false), allows: () => false, can: () => computed(() => false) }
  const boxes = ['MaskedPerson', 'FactsBox', 'PoliceBox', 'JudgeBox', 'UnitBox', 'SimilarBox', 'KnowledgeBox', 'CommandPalette']
  const aids = { hits: ref([]), terms: ref(null) }
  const page = mount(TicketPanel, {
    props: { desk, aids, calls: {} } as never,
    global: { plugins: [i18n, createPinia()], stubs: Object.fromEntries(boxes.map((name) => [name, true])) },
  })
  return page.find('time.clock')
}

it('is none once a ticket is over, however long ago its completion was due', () => {
  expect(clockOf('closed', { completion_due: OVER, ceiling_due: OVER }).exists()).toBe(false)
  expect(clockOf('rejected', { ceiling_due: OVER, paused_at: OVER }).exists()).toBe(false)
})

it('is the one that expires next', () => {
  const sign = '2026-11-10T10:00:00+08:00'
  expect(clockOf('pending_sign', { sign_due: sign, completion_due: '2026-11-24T09:00:00+08:00' }, sign).attributes('datetime')).toBe(sign)
})

it('says that a question stops it', () => {
  expect(clockOf('need_info', { ceiling_due: OVER, paused_at: OVER }).text()).toBe('暂停计时')
})
