// What a citizen adds to a ticket: nothing of it is lost on the way, and none of it is sent twice.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { ref } from 'vue'
import { keepDraft } from '../src/drafts'
import { i18n, loadWords, speak } from '../src/i18n'
import { WORDLESS } from '../src/pages/citizen/kit/danger'
import MoreForm from '../src/pages/citizen/track/MoreForm.vue'

interface Named {
  key: string
  name: string
}
interface Sent {
  text: string
  files: Named[]
  key: string
  answer: (taken: boolean) => void
}
let sent: Sent[]
const named = (key: string): Named => ({ key, name: `${key}.jpg` })
const photo = (key: string) => ({ ...named(key), size: 1, thumb: '', at: Date.now() })

beforeEach(async () => {
  localStorage.clear()
  setActivePinia(createPinia())
  sent = []
  await loadWords('citizen')
  await speak('zh')
})

/** The form as it stands when a page is loaded. */
function loaded() {
  const ticket = {
    progress: ref({ number: 'DG1' }), busy: ref(false),
    supplement: (text: string, files: Named[], key: string) => new Promise<boolean>((answer) => sent.push({ text, files, key, answer })),
  }
  const form = mount(MoreForm, { props: { ticket: ticket as never }, global: { plugins: [i18n] } })
  return {
    form, words: () => form.get('textarea').element.value,
    photos: () => form.findAll('.photos img, .photos .file').map((one) => one.text()),
    write: (text: string) => form.get('textarea').setValue(text), send: () => form.trigger('submit'),
  }
}

describe('a supplement', () => {
  it('whose answer was lost is whole after a reload, and goes under the same key', async () => {
    keepDraft('citizen.more.photos.DG1', [photo('a'), photo('b')], [])
    const first = loaded()
    await first.write('还没修')
    await first.send()
    sent[0]!.answer(false)
    await flushPromises()
    first.form.unmount()
    const again = loaded()
    expect([again.words(), again.photos()]).toEqual(['还没修', ['a.jpg', 'b.jpg']])
    await again.send()
    expect(sent[1]).toMatchObject({ text: '还没修', files: [named('a'), named('b')], key: sent[0]!.key })
    sent[1]!.answer(true)
    await flushPromises()
    expect([again.words(), again.photos(), localStorage.length]).toEqual(['', [], 1]) // 1: the language
    again.form.unmount()
  })
  it('leaves what was written and added while it went', async () => {
    keepDraft('citizen.more.photos.DG1', [photo('a')], [])
    const { form, write, send, words, photos } = loaded()
    await write('还没修')
    await send()
    await write('还没修 楼道也黑了')
    form.getComponent({ name: 'PhotoPicker' }).vm.$emit('update:modelValue', [photo('a'), photo('b')])
    sent[0]!.answer(true)
    await flushPromises()
    expect([words(), photos()]).toEqual(['楼道也黑了', ['b.jpg']])
    await send()
    expect(sent[1]).toMatchObject({ text: '楼道也黑了', files: [named('b')] })
    expect(sent[1]!.key).not.toBe(sent[0]!.key)
    form.unmount()
  })
  it('of photos alone is said so, and is gone when it was taken though its page had gone before', async () => {
    keepDraft('citizen.more.photos.DG1', [photo('a')], [])
    const { form, send } = loaded()
    await send()
    expect(sent[0]).toMatchObject({ text: WORDLESS, files: [named('a')] })
    form.unmount()
    sent[0]!.answer(true)
    await flushPromises()
    const later = loaded()
    expect(later.photos()).toEqual([])
    later.form.unmount()
  })
})
