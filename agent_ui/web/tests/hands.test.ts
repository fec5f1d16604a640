import { describe, expect, it } from 'vitest'
import type { Summary } from '../src/generated/frames'
import { passes } from '../src/pages/citizen/talk/conversation'
import { longestFirst } from '../src/pages/console/queues'
import { without } from '../src/drafts'
import { written } from '../src/shared/keys'

const key = (key: string, more: Partial<KeyboardEvent> = {}): string =>
  written({ key, ctrlKey: false, altKey: false, metaKey: false, shiftKey: false, ...more })

describe('a key', () => {
  it('is the same with Caps Lock on', () => {
    expect([key('c'), key('C'), key('J', { shiftKey: true }), key('j', { shiftKey: true })]).toEqual(['c', 'c', 'Shift+J', 'Shift+J'])
  })
  it('that is no letter is as it is', () => {
    expect([key('?', { shiftKey: true }), key('F9'), key(' '), key('Enter', { ctrlKey: true })]).toEqual(['?', 'F9', 'Space', 'Ctrl+Enter'])
  })
})

describe('a draft', () => {
  it('loses what was sent, and keeps what was written meanwhile', () => {
    expect(without('  已联系\n请稍候', '已联系')).toBe('请稍候')
    expect(without('已联系', '已联系')).toBe('')
  })
  it('that was changed meanwhile stays whole: nobody can tell what of it was sent', () => {
    expect(without('未联系，请稍候', '已联系')).toBe('未联系，请稍候')
  })
})

describe('who waits', () => {
  it('is taken in the order of coming', () => {
    const rows = [{ number: 'b', created_at: '2026-11-21T00:00:02Z' }, { number: 'a', created_at: '2026-11-21T00:00:01Z' }] as Summary[]
    expect(longestFirst(rows).map((row) => row.number)).toEqual(['a', 'b'])
  })
})

describe('a refused message', () => {
  it('goes again only where it was refused for the moment', () => {
    expect(passes({ error_id: 'unavailable', id: 'm1' })).toBe(true)
    expect(passes({ error_id: 'invalid_input', id: 'm1' })).toBe(false)
    expect(passes({ error_id: 'unavailable' })).toBe(false)
  })
})
