// Words that led to a judgement, marked where they stand.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Evidence } from '../src/generated/frames'
import zhConsole from '../src/i18n/zh/console'
import { marked, whyOf, wordsOfRule } from '../src/pages/console/marks'

const say = (text: string, start: number, end: number, rule = 'category:03路灯'): Evidence => ({ rule, text, start, end })

describe('marks', () => {
  it('stand where the service says, also behind signs outside the first plane', () => {
    expect(marked('😀路灯坏了', [say('路灯', 1, 3)])).toEqual([
      { text: '😀', why: null, rules: [] }, { text: '路灯', why: 'category', rules: ['category:03路灯'] }, { text: '坏了', why: null, rules: [] },
    ])
  })
  it('show danger over the category, and never lose a character', () => {
    const parts = marked('着火了', [say('着火', 0, 2, 'rule:fire'), say('火了', 1, 3), say('x', 5, 99), say('y', 2, 1)])
    expect(parts).toEqual([
      { text: '着火', why: 'danger', rules: ['rule:fire'] }, { text: '了', why: 'category', rules: ['category:03路灯'] },
    ])
    expect(marked('', [say('a', 0, 1)])).toEqual([])
  })
  it('stand with their words where masking has made a telephone before them shorter', () => {
    const told = '打138-0013-8000，楼下着火，快来，着火'
    const start = told.indexOf('着火')
    const parts = marked(told.replace('138-0013-8000', '138****8000'), [say('着火', start, start + 2, 'rule:fire')])
    expect(parts.map((one) => [one.text, one.why])).toEqual([['打138****8000，楼下', null], ['着火', 'danger'], ['，快来，着火', null]])
  })
  it('end with their words where a telephone among them was masked', () => {
    const words = '138-0013-8000'
    const parts = marked('138****8000打不通', [say('138****8000', 0, words.length)])
    expect(parts.map((one) => [one.text, one.why])).toEqual([['138****8000', 'category'], ['打不通', null]])
  })
  it('say why: every danger of the lexicon has its word', () => {
    expect(wordsOfRule('rule:fire')).toEqual({ key: 'danger', what: 'fire' })
    expect(wordsOfRule('model:20261120.1')).toEqual({ key: 'model', what: '' })
    expect(wordsOfRule('category:03路灯')).toEqual({ key: 'category', what: '路灯' })
    const lexicon = readFileSync(join(import.meta.dirname, '../../../triage/data/emergency.txt'), 'utf8')
    const dangers = [...lexicon.matchAll(/^danger +([a-z]+) /gm)].map((one) => one[1]!)
    expect(dangers.length).toBeGreaterThan(5)
    expect(dangers.filter((one) => !(one in zhConsole.mark.of))).toEqual([])
  })
  it('do not take a sender who is marked for a danger', () => {
    expect(whyOf({ rule: 'nuisance' })).toBeNull()
    expect(marked('你好', [say('该联系人', 0, 0, 'nuisance')])).toEqual([{ text: '你好', why: null, rules: [] }])
  })
})
