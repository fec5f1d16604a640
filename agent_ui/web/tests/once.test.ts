// A command whose answer was lost with the line: whether it had been carried out.
import { describe, expect, it } from 'vitest'
import type { Command, Opened, Staff } from '../src/generated/frames'
import { settledBefore } from '../src/link/once'

const clerk: Staff = { name: 'wang', display_name: '王', role: 'department', department: '城管局' }
const agent: Staff = { name: 'li', display_name: '李', role: 'agent' }
const after = (actor: string, fact: object, version = 8): Opened => ({ events: [{ version, actor: { name: actor }, fact }] }) as unknown as Opened
const file = (key: string) => ({ key, name: `${key}.jpg`, media_type: 'image/jpeg', size: 1 })
const note = (text: string): Command => ({ type: 'add_note', text })
const files = (...keys: string[]): Command => ({ type: 'attach', attachments: keys.map(file) })

describe('what was carried out before the line broke', () => {
  it('is ours by our name, of a department by the name of its unit', () => {
    expect(settledBefore(after('li', note('x')), note('x'), 7, agent)).toBe(true)
    expect(settledBefore(after('城管局', note('x')), note('x'), 7, clerk)).toBe(true)
    for (const other of ['wang', '水务局', '']) expect(settledBefore(after(other, note('x')), note('x'), 7, clerk), other).toBe(false)
  })
  it('is of its kind, and follows the version that was seen', () => {
    expect(settledBefore(after('城管局', { type: 'sign' }), note('x'), 7, clerk)).toBe(false)
    expect(settledBefore(after('城管局', note('x'), 9), note('x'), 7, clerk)).toBe(false)
    expect(settledBefore({ events: [] } as unknown as Opened, note('x'), 7, clerk)).toBe(false)
    expect(settledBefore(after('城管局', { type: 'sign' }), { type: 'sign' }, 7, clerk)).toBe(true)
  })
  it("says the same: a colleague's words of the same moment are not ours", () => {
    expect(settledBefore(after('城管局', note('已换灯')), note('已派人'), 7, clerk)).toBe(false)
    expect(settledBefore(after('城管局', { type: 'record_contact' }), { type: 'record_contact', note: '已联系' }, 7, clerk)).toBe(false)
    expect(settledBefore(after('城管局', files('b', 'a')), files('a', 'b'), 7, clerk)).toBe(true)
    expect(settledBefore(after('城管局', files('a')), files('b'), 7, clerk)).toBe(false)
    const reply: Command = { type: 'reply', public: '已修好', internal: '换灯', attachments: [file('a')] }
    expect(settledBefore(after('城管局', { ...reply, flags: ['门牌'] }), reply, 7, clerk)).toBe(true)
  })
  it.each([
    ['电话138****8000，陈*', '电话138 0013 8000，陈女士', true], ['****', '13800138000', true], ['已联系138****8000', '已联系13900138001', false],
    ['甲*乙*丙', '甲1乙2丙', true], ['甲*乙*丙', '甲丙', false], ['甲*甲', '甲', false],
  ])('%s may be %s: %s', (told, sent, same) => {
    expect(settledBefore(after('城管局', note(told)), note(sent), 7, clerk)).toBe(same)
  })
})
