// The audit, for who reads it: shown in words, found by the same words, and by what is kept.
import { expect, it } from 'vitest'
import en from '../src/i18n/en/admin'
import zh from '../src/i18n/zh/admin'
import { ACTS, actMeant, actorMeant, actorShown, actShown } from '../src/pages/admin/audit'

const wordsOf = (words: object) => (key: string): string =>
  key.split('.').slice(1).reduce<unknown>((found, part) => (found as Record<string, unknown> | undefined)?.[part], words) as string ?? key

it.each([['zh', zh], ['en', en]])('every act has words of its own, that find it again: %s', (_, words) => {
  const t = wordsOf(words)
  for (const act of ACTS) {
    expect(actShown(act, t)).not.toContain('admin.act')
    expect(actMeant(` ${actShown(act, t)} `, t)).toBe(act)
  }
})

it('what has no words is shown and found as it is kept', () => {
  const t = wordsOf(zh)
  expect([actShown('export.tickets', t), actMeant('export.tickets', t), actMeant('person.grant', t)]).toEqual(['export.tickets', 'export.tickets', 'person.grant'])
})

it.each([['supervisor:wang', '班长:wang'], ['command_line:root', 'command_line:root'], ['', '']])('%j is %j', (kept, shown) => {
  const t = wordsOf(zh)
  expect([actorShown(kept, t), actorMeant(shown, t), actorMeant(shown.replace(':', '：'), t), actorMeant(kept, t)]).toEqual([shown, kept, kept, kept])
})
