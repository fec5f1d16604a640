// The list of commands: one Enter chooses, a second does it; a list that is cut and a search without a result say so.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { ElDialog } from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { beforeAll, expect, it } from 'vitest'
import { computed, ref } from 'vue'
import type { Command, Summary } from '../src/generated/frames'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import CommandPalette from '../src/pages/console/CommandPalette.vue'
import GivenPanel from '../src/pages/console/GivenPanel.vue'
import QueuePanel from '../src/pages/console/QueuePanel.vue'
import type { CallbackDesk } from '../src/pages/console/useCallbacks'
import type { TicketDesk } from '../src/pages/console/useTicket'

beforeAll(async () => {
  setActivePinia(createPinia())
  await startLanguage()
  await loadWords('console')
})

async function palette(...commands: string[]) {
  const sent: Command[] = []
  const opened = ref({ ticket: { number: 'DG1' }, commands })
  const desk = { opened, number: computed(() => 'DG1'), busy: ref(false), act: async (command: Command) => sent.push(command) > 0 } as unknown as TicketDesk
  const box = mount(CommandPalette, { props: { desk, units: [] }, global: { plugins: [i18n], stubs: { teleport: true } }, attachTo: document.body })
  await (box.vm as unknown as { show: () => Promise<void> }).show()
  await flushPromises()
  return { box: box.findComponent(ElDialog) as VueWrapper, sent }
}

it('does not carry out what asks for nothing by the Enter that chooses it', async () => {
  const { box, sent } = await palette('archive')
  await box.find('input').trigger('keydown', { key: 'Enter' })
  await flushPromises()
  expect(sent).toEqual([])
  expect(box.text()).toContain('DG1')
  const button = box.find('button[type=submit]')
  const held = new KeyboardEvent('keydown', { key: 'Enter', repeat: true, cancelable: true })
  button.element.dispatchEvent(held)
  expect(held.defaultPrevented).toBe(true)
  await box.find('form').trigger('submit')
  expect(sent).toEqual([{ type: 'archive' }])
})

it('says how many more chats were given', () => {
  const chats = ['1', '2', '3', '4', '5'].map((number) => ({ number, title: number }) as Summary)
  const box = mount(GivenPanel, { props: { chats }, global: { plugins: [i18n] } })
  expect(box.find('.rest').text()).toContain('2')
})

it('tells a search that found nothing from an empty queue', () => {
  const callbacks = { owed: ref(0) } as unknown as CallbackDesk
  const shown = (chosen: string): string => mount(QueuePanel, {
    props: { queues: [], found: [], callbacks, current: '', chosen }, global: { plugins: [i18n] },
  }).find('.empty').text()
  expect(shown('found')).toBe('没有找到')
  expect(shown('received')).not.toBe('没有找到')
})
