// Drafts on a device at which many work in turn.
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { draftOf, dropDraft, keepDraft, sweepDrafts, useDraft } from '../src/drafts'
import { useSession } from '../src/session'

const comes = (name: string): void => {
  useSession().staff = { name, display_name: name, role: 'agent' }
}
beforeEach(() => {
  localStorage.clear()
  setActivePinia(createPinia())
})

describe('a draft of staff', () => {
  it('is offered to who wrote it, and to nobody else at this device', () => {
    comes('li')
    keepDraft('phone', { text: '路灯不亮', phone: '13800138000' }, null)
    useDraft('note.DG1').value = '已联系'
    comes('wang')
    expect([draftOf('phone'), useDraft('note.DG1').value]).toEqual([null, ''])
    keepDraft('phone', { text: '别的' }, null)
    dropDraft('note.DG1')
    comes('li')
    expect([draftOf('phone'), useDraft('note.DG1').value]).toEqual([{ text: '路灯不亮', phone: '13800138000' }, '已联系'])
  })
  it('stays theirs when the session ends while they write', () => {
    comes('li')
    const text = useDraft('note.DG1')
    text.value = '写了'
    useSession().forget()
    text.value = '写了一半'
    comes('wang')
    expect(useDraft('note.DG1').value).toBe('')
    comes('li')
    expect(useDraft('note.DG1').value).toBe('写了一半')
  })
  it('is thrown away after two weeks, whoever is there then', () => {
    comes('li')
    keepDraft('phone', 'x', '')
    comes('wang')
    sweepDrafts(Date.now() + 13 * 86_400_000)
    expect(localStorage.length).toBe(1)
    sweepDrafts(Date.now() + 15 * 86_400_000)
    expect(localStorage.length).toBe(0)
  })
})

it("a citizen's draft has no name: their device is theirs, whoever is logged in at it", () => {
  keepDraft('citizen.appeal', { text: 'x' }, null)
  comes('li')
  expect(draftOf('citizen.appeal')).toEqual({ text: 'x' })
})
