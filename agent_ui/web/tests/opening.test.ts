// A dialog that opens has the focus in its first field: who writes at once, by keyboard, loses no sign.
import { flushPromises, mount, type VueWrapper } from '@vue/test-utils'
import { ElDialog } from 'element-plus'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { Component } from 'vue'
import { api } from '../src/http/client'
import { Problem } from '../src/http/problem'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import ArticleForm from '../src/pages/admin/ArticleForm.vue'
import DirectoryImport from '../src/pages/admin/DirectoryImport.vue'
import NewMark from '../src/pages/admin/NewMark.vue'
import NewPerson from '../src/pages/admin/NewPerson.vue'
import PhoneForm from '../src/pages/console/PhoneForm.vue'

let page: VueWrapper | undefined

beforeEach(async () => {
  setActivePinia(createPinia())
  vi.spyOn(api, 'GET').mockRejectedValue(new Problem({ errorId: 'offline' }))
  await startLanguage()
  await Promise.all([loadWords('console'), loadWords('admin')])
})
afterEach(() => {
  page?.unmount()
  vi.restoreAllMocks()
})

async function opened(form: Component, props: object): Promise<Element | null> {
  page = mount(form, { props: props as never, global: { plugins: [i18n], stubs: { teleport: true, ElSelect: true } }, attachTo: document.body })
  ;(page.vm as unknown as { show?: () => void }).show?.()
  await vi.waitFor(() => expect(document.activeElement).not.toBe(document.body))
  await flushPromises()
  return document.activeElement
}

it.each<[string, Component, object, string]>([
  ['a call', PhoneForm, { towns: [], call: '', live: false, said: '' }, 'textarea'],
  ['a person', NewPerson, {}, '#new-name'],
  ['a mark', NewMark, { ticket: '' }, '#nuisance-who'],
  ['an article', ArticleForm, {}, 'input'],
])('for %s', async (_, form, props, field) => {
  const focused = await opened(form, props)
  expect(focused?.matches(field)).toBe(true)
})

it.each<[string, Component, object]>([
  ['a person', NewPerson, {}], ['a mark', NewMark, { ticket: '' }], ['a directory', DirectoryImport, {}],
])('and one for %s, of which no draft is kept, stays when somebody clicks beside it', async (_, form, props) => {
  await opened(form, props)
  expect(page!.findComponent(ElDialog).props('closeOnClickModal')).toBe(false)
})
