// Rows that come page by page, whatever the order of the answers.
import { expect, it } from 'vitest'
import { usePaged } from '../src/shared/usePaged'

/** Pages of the filter of now, answered when the test wants it. */
function service() {
  const asked: { of: string; answer: () => Promise<void> }[] = []
  const given = { filter: 'records' }
  const page = (cursor: string) => new Promise<{ rows: string[]; next: string }>((resolve) => {
    const at = Number(cursor || 0)
    const of = `${given.filter} ${at}`
    asked.push({ of, answer: async () => (resolve({ rows: [of], next: at < 3 ? String(at + 1) : '' }), new Promise((done) => setTimeout(done))) })
  })
  return { given, asked, paged: usePaged(page) }
}

it('an answer to the filters of before does not come among the rows of now', async () => {
  const { given, asked, paged } = service()
  void paged.begin()
  await asked[0]!.answer()
  void paged.more()
  given.filter = 'commands'
  void paged.begin()
  await asked[2]!.answer()
  await asked[1]!.answer()
  expect([paged.rows.value, paged.next.value]).toEqual([['commands 0'], '1'])
})
it('of two beginnings the later one counts', async () => {
  const { given, asked, paged } = service()
  void paged.begin()
  given.filter = 'commands'
  void paged.begin()
  await asked[1]!.answer()
  await asked[0]!.answer()
  expect(paged.rows.value).toEqual(['commands 0'])
})
it('a page that is asked for twice is there once', async () => {
  const { asked, paged } = service()
  void paged.begin()
  await asked[0]!.answer()
  void paged.more()
  void paged.more()
  await asked[1]!.answer()
  await asked[2]!.answer()
  expect([paged.rows.value, paged.next.value]).toEqual([['records 0', 'records 1'], '2'])
})
it('as many rows as were shown are there when it is loaded anew', async () => {
  const { asked, paged } = service()
  const all = paged.begin(2)
  await asked[0]!.answer()
  await asked[1]!.answer()
  await all
  expect([paged.rows.value, asked.length]).toEqual([['records 0', 'records 1'], 2])
})
