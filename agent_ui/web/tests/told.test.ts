// What is told of an error: to citizens what to mend, in their language; to staff the service's own words too.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { wordsOf } from '../src/http/notice'
import { problemOf } from '../src/http/problem'
import { i18n, loadWords, speak } from '../src/i18n'
import { toldOf } from '../src/pages/citizen/kit/told'
import { heard, NEW, said } from '../src/pages/citizen/talk/conversation'

const CITIZEN = join(import.meta.dirname, '../src/pages/citizen')
const refused = (error_id: string, field = '', reference = '') =>
  problemOf(400, { error_id, field, reference, detail: 'phone is not a number that can be called; check its digits' })

beforeEach(async () => {
  await loadWords('citizen')
  await speak('zh')
})

describe('a citizen', () => {
  it.each([
    ['invalid_input', 'phone', '联系电话有误'], ['invalid_input', 'text', '最多 10000 字'], ['not_found', 'attachments', '已经失效'],
    ['too_large', 'attachments', '20 MB'], ['unsupported_media_type', 'attachments', 'PDF'], ['invalid_input', 'attachments', '空的'],
    ['invalid_input', 'kind', '内容有误'], ['invalid_input', '', '内容有误'], ['unheard_of', 'phone', '出错了'],
  ])('is told of %s in "%s" what to mend, and nothing in English', (errorId, field, words) => {
    expect(toldOf(refused(errorId, field))).toContain(words)
    expect(toldOf(refused(errorId, field))).not.toMatch(/digits/)
  })
  it('can name the error to who looks for its cause', () => {
    expect(toldOf(refused('internal', '', 'ab12'))).toBe('出错了，请稍后再试 · 编号 ab12')
    expect(toldOf(new Error('x'))).toBe('出错了，请稍后再试')
  })
  it('is told so on every page', () => {
    for (const path of readdirSync(CITIZEN, { recursive: true }) as string[]) {
      if (/\.(vue|ts)$/.test(path)) expect(readFileSync(join(CITIZEN, path), 'utf8'), path).not.toMatch(/\b(wordsOf|tell)\(|\.detail\b/)
    }
  })
  it('knows what of a chat message was at fault', () => {
    const [talk] = said(NEW, { id: 'm1', text: 'x', attachments: [{ key: 'k', name: 'a.jpg' }] })
    const [after] = heard(talk, { type: 'error', id: 'm1', error_id: 'not_found', field: 'attachments', detail: 'upload it first' })
    expect(after.waiting[0]).toMatchObject({ refused: 'not_found', field: 'attachments' })
  })
  it('is told in English who has chosen English', async () => {
    await speak('en')
    expect(toldOf(refused('invalid_input', 'phone'))).toContain('area code')
    expect(i18n.global.locale.value).toBe('en')
  })
})

it('staff read what the service says', () => {
  expect(wordsOf(refused('invalid_input', 'phone'))).toBe('内容有误 · phone is not a number that can be called; check its digits')
})
it('who sits there when a session ends is told how to go on, and nothing in English', () =>
  expect(wordsOf(problemOf(401, { error_id: 'unauthenticated', detail: 'log in first: POST /api/v1/login' }))).toBe(
    '登录已结束。请在新标签页中重新登录，再回到本页重试，已填写的内容还在'))
