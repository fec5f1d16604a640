// Every visible word is said in both languages, and every word that is asked for exists.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const SRC = join(import.meta.dirname, '../src')
type Tree = { [key: string]: string | Tree }
const files = import.meta.glob<{ default: Tree }>('../src/i18n/{zh,en}/*.ts', { eager: true })
const areas = [...new Set(Object.keys(files).map((path) => path.split('/').at(-1)!.replace('.ts', '')))]

function flat(tree: Tree, prefix: string): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[`${prefix}.${key}`, value]] : flat(value, `${prefix}.${key}`))
}
const wordsOf = (language: string, area: string): Map<string, string> =>
  new Map(flat(files[`../src/i18n/${language}/${area}.ts`]?.default ?? {}, area))

const sources = (readdirSync(SRC, { recursive: true }) as string[])
  .filter((path) => /\.(vue|ts)$/.test(path) && !/^(i18n|generated)\//.test(path))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }))
const withoutComments = (text: string): string =>
  text.replace(/<!--[\s\S]*?-->/g, '').replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')

describe.each(areas)('words of %s', (area) => {
  const [zh, en] = [wordsOf('zh', area), wordsOf('en', area)]
  it('are the same in both languages', () => {
    expect([...en.keys()].sort()).toEqual([...zh.keys()].sort())
  })
  it('have the same gaps to fill, and none is empty', () => {
    const gaps = (word: string): string[] => (word.match(/\{\w+\}/g) ?? []).sort()
    for (const [key, word] of zh) {
      expect(gaps(en.get(key) ?? ''), key).toEqual(gaps(word))
      expect(word.trim() && en.get(key)?.trim(), key).toBeTruthy()
    }
  })
  it('are Chinese in Chinese, and English in English', () => {
    for (const [key, word] of en) expect(word === '中文' || !/[\u4e00-\u9fff]/.test(word), `${key}: ${word}`).toBe(true)
  })
})

const all = new Set(areas.flatMap((area) => [...wordsOf('zh', area).keys()]))

it.each(sources)('$path asks for words that exist', ({ text }) => {
  const asked = [...withoutComments(text).matchAll(/\bt\(\s*'([\w.]+)'/g)].map((found) => found[1]!)
  expect(asked.filter((key) => !all.has(key))).toEqual([])
  const begun = [...withoutComments(text).matchAll(/\bt\(\s*`([\w.]+)\$\{/g)].map((found) => found[1]!)
  expect(begun.filter((start) => ![...all].some((key) => key.startsWith(start)))).toEqual([])
})

it.each(sources)('$path has no visible words of its own', ({ path, text }) => {
  const plain = withoutComments(text)
  expect(plain.match(/[\u4e00-\u9fff]+/g) ?? []).toEqual([])
  if (!path.endsWith('.vue')) return
  const template = /<template>([\s\S]*)<\/template>/.exec(plain)?.[1] ?? ''
  // What stands between tags, without what is computed: signs and key names are no words.
  const between = [...template.replace(/\{\{[\s\S]*?\}\}/g, '').matchAll(/>([^<>]+)</g)].map((found) => found[1]!.trim())
  expect(between.filter((words) => /[A-Za-z]{2,}/.test(words) && !/^(Enter|Esc|Ctrl|Alt|Shift|kbd)/.test(words))).toEqual([])
  const named = [...template.matchAll(/\s(?:aria-label|title|placeholder|alt|label)="([^"]+)"/g)].map((found) => found[1]!)
  expect(named.filter((words) => /[A-Za-z]{2,}/.test(words))).toEqual([])
})
