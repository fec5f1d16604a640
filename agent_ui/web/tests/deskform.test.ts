// Where the focus is in a unit's form.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import type { Command } from '../src/generated/frames'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import { ACTS } from '../src/pages/desk/acts'
import DeskForm from '../src/pages/desk/DeskForm.vue'

beforeEach(async () => {
  localStorage.clear()
  setActivePinia(createPinia())
  await startLanguage()
  await loadWords('desk')
})

const shown = (type: string, sent: Command[] = []) => mount(DeskForm, {
  props: { act: ACTS.find((one) => one.type === type)!, ticket: { number: 'DG1' } as never, busy: false,
    send: async (command: Command) => sent.push(command) > 0 },
  global: { plugins: [i18n], stubs: { FilePicker: true } }, attachTo: document.body,
})

it('that begins with a number has it typed over', () => {
  const chosen = vi.spyOn(HTMLInputElement.prototype, 'select') // what is chosen in a number no browser tells
  const page = shown('request_extension')
  ;(page.vm as unknown as { focus: () => void }).focus()
  expect(chosen.mock.contexts).toEqual([page.get('input').element])
  page.unmount()
})

it('goes to the field that is missing, not to the one that is written', async () => {
  const sent: Command[] = []
  const page = shown('reply', sent)
  const [told, internal] = page.findAll('textarea')
  await told!.setValue('路灯已修好')
  await page.get('form').trigger('submit')
  await flushPromises()
  expect([sent, document.activeElement]).toEqual([[], internal!.element])
  await internal!.setValue('换灯泡')
  await page.get('form').trigger('submit')
  await flushPromises()
  expect(sent).toHaveLength(1)
  page.unmount()
})
