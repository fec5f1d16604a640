// A ticket from a call: each form has an id of its own, and keeps it until the ticket is made.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { Problem } from '../src/http/problem'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import { useLink } from '../src/link'
import PhoneForm from '../src/pages/console/PhoneForm.vue'
import { useSession } from '../src/session'

interface Sent {
  call: string
  form: string
}
let sent: Sent[]
let answers: boolean

beforeEach(async () => {
  localStorage.clear()
  setActivePinia(createPinia())
  sent = []
  answers = true
  vi.spyOn(useLink(), 'ask').mockImplementation(async (ask) => {
    sent.push(ask as unknown as Sent)
    if (!answers) throw new Problem({ errorId: 'offline' })
    return { number: `DG${sent.length}` } as never
  })
  await startLanguage()
  await loadWords('console')
})

/** The form as it stands when `name` loads the page in a call. */
async function loaded(name: string) {
  useSession().staff = { name, display_name: name, role: 'agent' }
  const form = mount(PhoneForm, { props: { towns: [], call: 'c1', live: true, said: '' }, global: { plugins: [i18n], stubs: { teleport: true, ElSelect: true, transition: true } } })
  form.vm.show()
  await flushPromises()
  const write = async (text: string): Promise<void> => {
    await form.get('textarea').setValue(text)
    await form.get('form').trigger('submit')
    await flushPromises()
  }
  return { form, write }
}

it('tells what is written in one call apart, whoever writes it', async () => {
  const first = await loaded('li')
  await first.write('路灯不亮')
  await first.write('井盖坏了')
  first.form.unmount()
  const second = await loaded('wang')
  await second.write('楼下占道')
  second.form.unmount()
  expect(sent.map(({ call }) => call)).toEqual(['c1', 'c1', 'c1'])
  expect(new Set(sent.map(({ form }) => form)).size).toBe(3)
  expect(sent.every(({ form }) => /^[0-9A-Za-z-]{8,64}$/.test(form))).toBe(true)
})
it('whose answer was lost goes under the same id, also after a reload', async () => {
  answers = false
  const before = await loaded('li')
  await before.write('路灯不亮')
  before.form.unmount()
  const after = await loaded('li')
  await after.form.get('form').trigger('submit')
  await flushPromises()
  after.form.unmount()
  expect(sent[1]).toEqual(sent[0])
})
it.each(['compositionstart', 'beforeinput'])('leaves what is being written alone from the first sign (%s)', async (first) => {
  const { form } = await loaded('li')
  await form.setProps({ said: '有人拿' })
  form.vm.show()
  await flushPromises()
  const text = form.get('textarea')
  await text.trigger(first)
  text.element.value = '有人拿dao'
  await form.setProps({ said: '有人拿刀砍人' })
  await flushPromises()
  expect(text.element.value).toBe('有人拿dao')
  form.unmount()
})
it('is the same when it is sent again after its answer was lost, whatever was heard meanwhile', async () => {
  answers = false
  const { form } = await loaded('li')
  await form.setProps({ said: '路灯不亮' })
  form.vm.show()
  await flushPromises()
  await form.get('form').trigger('submit')
  await flushPromises()
  await form.setProps({ said: '路灯不亮三天了' })
  await form.get('form').trigger('submit')
  await flushPromises()
  form.unmount()
  expect(sent).toHaveLength(2)
  expect(sent[1]).toEqual(sent[0])
})
it('leaves documents, companies and whom a matter concerns out of what the device keeps', async () => {
  const { form } = await loaded('li')
  for (const label of ['company', 'id_document', 'about', 'name']) {
    await form.get(`input[aria-label="${i18n.global.t(`console.phone.${label}`)}"]`).setValue(`of ${label}`)
  }
  await form.get('textarea').setValue('路灯不亮')
  await flushPromises()
  const kept = JSON.parse(localStorage.getItem('hotline.draft.li/phone')!) as { value: Record<string, string> }
  expect([kept.value.text, kept.value.name]).toEqual(['路灯不亮', 'of name'])
  expect(JSON.stringify(kept)).not.toMatch(/of (company|id_document|about)/)
  await form.get('form').trigger('submit')
  await flushPromises()
  form.unmount()
  expect(sent[0]).toMatchObject({ appeal: { company: 'of company', id_document: 'of id_document', about: 'of about' } })
})
it('fills with what is heard until somebody writes, and with nothing of another call', async () => {
  const { form } = await loaded('li')
  const text = (): string => (form.get('textarea').element as HTMLTextAreaElement).value
  await form.setProps({ said: '路灯' })
  expect(text()).toBe('') // it is open and empty: the agent may be about to write
  form.vm.show()
  for (const said of ['有人拿', '有人拿刀砍人，快来人']) {
    await form.setProps({ said })
    await flushPromises()
    expect(text()).toBe(said)
  }
  await form.setProps({ call: 'c2', said: '噪音扰民' })
  expect(text()).toBe('有人拿刀砍人，快来人')
  await form.setProps({ call: 'c1', said: '有人拿刀砍人，快来人在东门' })
  expect(text()).toBe('有人拿刀砍人，快来人在东门')
  await form.get('textarea').setValue('有人持刀')
  await form.setProps({ said: '有人拿刀砍人，快来人在东门口' })
  expect(text()).toBe('有人持刀')
  form.unmount()
})
