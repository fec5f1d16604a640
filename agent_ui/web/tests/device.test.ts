// A phone whose browser keeps nothing, or no more: the pages open, take what is typed, and send it.
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { device } from '../src/device'
import { draftOf, keepDraft, sweepDrafts, useDraft } from '../src/drafts'
import { i18n, startLanguage } from '../src/i18n'
import { remember, remembered, want } from '../src/pages/citizen/mine/remembered'
import { packed, unpacked, waitingParcel } from '../src/pages/citizen/send/outbox'

const real = globalThis.localStorage
/** What the browser has at `localStorage`, or does when it is asked for it. */
const browser = (store: () => unknown): void => void Object.defineProperty(globalThis, 'localStorage', { configurable: true, get: store })
const refusing = (name: string) => (): never => {
  throw new DOMException('', name)
}
const FULL = { ...Object.fromEntries(['getItem', 'key'].map((name) => [name, () => null])), length: 0, removeItem: () => undefined,
  setItem: refusing('QuotaExceededError') }

beforeEach(() => setActivePinia(createPinia()))
afterEach(() => {
  browser(() => real)
  for (const key of device.keys()) device.remove(key)
})

describe.each([
  ['is forbidden to keep anything', refusing('SecurityError')], ['has no store', () => null], ['is full', () => FULL],
])('a browser that %s', (_, store) => {
  beforeEach(() => browser(store))

  it('shows the page in its language', async () => {
    await startLanguage()
    expect(i18n.global.locale.value).toBe('zh')
  })
  it('takes what is typed, sign by sign', () => {
    const text = useDraft('citizen.talk')
    for (const now of ['路', '路灯', '路灯不']) text.value = now
    keepDraft('citizen.appeal', { text: '路灯不亮' }, null)
    sweepDrafts()
    expect([text.value, draftOf('citizen.talk'), draftOf('citizen.appeal')]).toEqual(['路灯不', '路灯不', { text: '路灯不亮' }])
  })
  it('sends a report under one key, and forgets it when it is answered', () => {
    const { key } = packed({ text: '路灯不亮' })
    expect(waitingParcel()?.key).toBe(key)
    unpacked()
    expect(waitingParcel()).toBeNull()
  })
  it('remembers reports while the page is open, and does not say that they last', () => {
    want(true)
    remember({ number: 'DG1', code: '1234', at: '', words: '' })
    expect([remembered().length, device.lasting.value]).toEqual([1, false])
  })
})

it('what fits again is kept by the browser again', () => {
  browser(() => FULL)
  keepDraft('citizen.appeal', { text: '长' }, null)
  browser(() => real)
  keepDraft('citizen.appeal', { text: '短' }, null)
  expect([real.getItem('hotline.draft.citizen.appeal'), device.lasting.value]).toEqual([expect.stringContaining('短'), true])
})

it('a mistake of ours is not taken for a browser that keeps nothing', () => {
  vi.spyOn(real, 'getItem').mockImplementation(() => {
    throw new RangeError('ours')
  })
  expect(() => device.get('x')).toThrow(RangeError)
  vi.restoreAllMocks()
})
