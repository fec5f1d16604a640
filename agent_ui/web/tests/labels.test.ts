// Sensitive labels: chosen one after the other, sent together.
import { flushPromises, mount } from '@vue/test-utils'
import { ElSelect } from 'element-plus'
import { beforeAll, expect, it } from 'vitest'
import { computed, ref } from 'vue'
import type { Command } from '../src/generated/frames'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import JudgeBox from '../src/pages/console/JudgeBox.vue'

beforeAll(async () => {
  await startLanguage()
  await loadWords('console')
})

function shown() {
  const sent: Command[] = []
  const number = ref('DG1')
  const opened = ref({ ticket: { number: 'DG1', labels: ['crowd'], appeal: {}, triage: {} } })
  const desk = { opened, number, busy: ref(false), allows: () => true, can: () => computed(() => true),
    act: async (command: Command) => sent.push(command) > 0 }
  const aids = { category: ref(null), terms: ref(null), evidence: ref([]) }
  const box = mount(JudgeBox, { props: { desk, aids } as never, global: { plugins: [i18n], stubs: { VerdictBox: true } } })
  const list = box.findAllComponents(ElSelect).find((one) => one.props('multiple'))!
  const emit = async (event: string, given: unknown): Promise<void> => {
    list.vm.$emit(event, given)
    await flushPromises()
  }
  return { emit, list, number, sent }
}

it('are sent together when their list closes', async () => {
  const { emit, list, sent } = shown()
  await emit('visible-change', true)
  await emit('change', ['crowd', 'minors'])
  expect(list.props('modelValue')).toEqual(['crowd', 'minors'])
  await emit('change', ['crowd', 'minors', 'media'])
  expect(sent).toEqual([])
  await emit('visible-change', false)
  expect(sent).toEqual([{ type: 'correct', labels: ['crowd', 'minors', 'media'] }])
})
it('one that is taken away while the list is closed is gone at once', async () => {
  const { emit, sent } = shown()
  await emit('change', [])
  expect(sent).toEqual([{ type: 'correct', labels: [] }])
})
it('chosen for one ticket are not sent to the next', async () => {
  const { emit, number, sent } = shown()
  await emit('visible-change', true)
  await emit('change', ['crowd', 'minors'])
  number.value = 'DG2'
  await emit('visible-change', false)
  expect(sent).toEqual([])
})

it('tells apart what two first levels call alike, and writes the others short', () => {
  const alternatives = [['03', '其他'], ['19', '其他'], ['03', '路灯']].map(([l1, l2]) => ({ l1, l2, confidence: 0.04 }))
  const opened = ref({ ticket: { number: 'DG1', appeal: {}, triage: { alternatives } } })
  const desk = { opened, number: ref('DG1'), allows: () => true, can: () => computed(() => true) }
  const categories = [['03', '城市管理', '其他'], ['03', '城市管理', '路灯'], ['19', '其他', '其他']].map(([l1, l1_name, l2]) => ({ l1, l1_name, l2 }))
  const aids = { category: ref(null), terms: ref({ categories, towns: [] }), evidence: ref([]) }
  const box = mount(JudgeBox, { props: { desk, aids } as never, global: { plugins: [i18n], stubs: { VerdictBox: true, ElSelect: true } } })
  expect(box.findAll('.others button').map((one) => one.text())).toEqual(['q 城市管理 / 其他 4%', 'w 其他 / 其他 4%', 'e 路灯 4%'])
})
