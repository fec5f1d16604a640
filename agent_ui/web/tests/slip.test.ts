// Number and code of what was sent stay over a reload, until they are not wanted any more.
import { mount } from '@vue/test-utils'
import { beforeAll, beforeEach, expect, it } from 'vitest'
import { nextTick } from 'vue'
import { tab } from '../src/device'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import { forget, remembered, want } from '../src/pages/citizen/mine/remembered'
import { packed, type Answer } from '../src/pages/citizen/send/outbox'
import SendView from '../src/pages/citizen/send/SendView.vue'
import { keepSlip, keptSlip } from '../src/pages/citizen/send/slip'
import type { Sent } from '../src/pages/citizen/send/useSend'

const NOW = Date.parse('2026-11-23T12:00:00Z')
const SENT = { words: '路灯', answer: { number: 'DG2026112330000017', code: '012345' } as Answer } satisfies Sent

beforeAll(async () => {
  await startLanguage()
  await loadWords('citizen')
})
beforeEach(() => {
  localStorage.clear()
  sessionStorage.clear()
})

/** The page as it stands after a reload. */
const loaded = () => mount(SendView, { global: { plugins: [i18n], stubs: { SendForm: true } } })

it('stay over a reload', async () => {
  const before = loaded()
  before.findComponent({ name: 'SendForm' }).vm.$emit('sent', SENT)
  await nextTick()
  before.unmount()
  expect(loaded().findAll('.slip .big').map((one) => one.text())).toEqual(['DG2026112330000017', '012345'])
})

it('let what waits to be sent go first', () => {
  keepSlip(SENT)
  packed({ text: '路灯不亮' })
  expect(loaded().findComponent({ name: 'SendForm' }).exists()).toBe(true)
})

it('do not come back to a device from which they were deleted', async () => {
  want(true)
  const page = loaded()
  page.findComponent({ name: 'SendForm' }).vm.$emit('sent', SENT)
  await nextTick()
  expect(remembered().map((one) => one.number)).toEqual([SENT.answer.number])
  forget(SENT.answer.number)
  loaded()
  expect(remembered()).toEqual([])
})

it('are gone once something else is begun', async () => {
  keepSlip(SENT)
  const page = loaded()
  await page.findAll('.buttons button').at(-1)!.trigger('click')
  expect([page.find('.slip').exists(), keptSlip()]).toEqual([false, null])
})

it('do not stay on a device that is not theirs', async () => {
  keepSlip(SENT)
  const page = loaded()
  await page.findAll('.note.row button').at(-1)!.trigger('click') // 不用
  expect([page.find('.slip').exists(), keptSlip()]).toEqual([true, null])
  want(false)
  keepSlip(SENT)
  expect(keptSlip()).toBeNull()
})

it('stay for half an hour, and what is cut off is none', () => {
  keepSlip(SENT, NOW)
  expect(keptSlip(NOW + 29 * 60_000)).toEqual(SENT)
  expect(keptSlip(NOW + 31 * 60_000)).toBeNull()
  tab.set('hotline.slip', '{"at":')
  expect(keptSlip(NOW)).toBeNull()
})
