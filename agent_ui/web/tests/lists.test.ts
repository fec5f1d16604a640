// Lists with a filter: what was typed and Enter choose what stands first then, never what the filter has hidden.
import { mount } from '@vue/test-utils'
import { ElOption, ElSelect } from 'element-plus'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { defineComponent, h, nextTick, ref, type Ref } from 'vue'
import { written } from '../src/shared/keys'
import { tameLists } from '../src/shared/lists'

const UNITS = ['城管局', '水务局', '水利站']
let page: ReturnType<typeof mount> | undefined

beforeAll(tameLists)
afterEach(() => page?.unmount())

async function listed(value: Ref<unknown>, multiple: boolean) {
  page = mount(defineComponent(() => () => h(ElSelect, {
    modelValue: value.value as string, multiple, filterable: true, teleported: false,
    'onUpdate:modelValue': (next: unknown) => (value.value = next),
  }, () => UNITS.map((one) => h(ElOption, { key: one, value: one, label: one })))), { attachTo: document.body })
  const box = page.get('input')
  const press = async (key: string): Promise<void> => {
    await box.trigger('keydown', { key, code: key })
    await nextTick()
  }
  const find = async (word: string): Promise<void> => {
    await box.trigger('click')
    await box.setValue(word)
    await nextTick()
  }
  return { box, press, find }
}

it('take the first that was found', async () => {
  const value = ref<unknown>('城管局')
  const { find, press } = await listed(value, false)
  await find('水')
  await press('Enter')
  expect(value.value).toBe('水务局')
})

it('take what the arrows have chosen', async () => {
  const value = ref<unknown>('城管局')
  const { find, press } = await listed(value, false)
  await find('水')
  await press('ArrowDown')
  await press('ArrowDown')
  await press('Enter')
  expect(value.value).toBe('水利站')
})

it('of several keep what was chosen before', async () => {
  const value = ref<unknown>(['城管局'])
  const { find, press } = await listed(value, true)
  await find('水务')
  await press('Enter')
  expect(value.value).toEqual(['城管局', '水务局'])
  await find('没有的')
  await press('Enter')
  expect(value.value).toEqual(['城管局', '水务局'])
})

it('of several pass over what is chosen already', async () => {
  const value = ref<unknown>(['水务局'])
  const { find, press } = await listed(value, true)
  await find('水')
  await press('Enter')
  expect(value.value).toEqual(['水务局', '水利站'])
})

it('are left by Escape once they are closed', async () => {
  const { box, press } = await listed(ref<unknown>('城管局'), false)
  box.element.focus()
  await press('Escape')
  expect(document.activeElement).toBe(document.body)
})

it('let Ctrl+Enter pass, which sends what is written', async () => {
  const { box } = await listed(ref<unknown>('城管局'), false)
  const heard: string[] = []
  const hear = (event: KeyboardEvent): void => void heard.push(written(event))
  window.addEventListener('keydown', hear)
  await box.trigger('keydown', { key: 'Enter', code: 'Enter', ctrlKey: true })
  window.removeEventListener('keydown', hear)
  expect([heard, box.attributes('aria-expanded')]).toEqual([['Ctrl+Enter'], 'false'])
})
