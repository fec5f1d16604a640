import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { computed, nextTick, watch } from 'vue'
import { describe, expect, it } from 'vitest'
import type { Callback, Presence, Summary } from '../src/generated/frames'
import { Feed } from '../src/link/feeds'
import { CENTRE_STATES, LatestRows, TicketRows } from '../src/link/rows'

const row = (number: string, version: number, state = 'received'): Summary => ({
  number, version, state, channel: 'web', title: number, kind: 'other', priority: 'P3', verdict: 'non_emergency',
  created_at: '2026-11-21T00:00:00Z', updated_at: '2026-11-21T00:00:00Z',
})
const shown = (rows: TicketRows): string[] => [...rows.rows()].map((one) => `${one.number}.${one.version}`).sort()

describe('the rows of a topic', () => {
  it('are the snapshot and every later event, whatever the order of versions', () => {
    const rows = new TicketRows('centre')
    rows.event(row('B', 2), 11)
    rows.snapshot([row('A', 1), row('B', 1)], 10, true)
    rows.event(row('A', 3), 12)
    rows.event(row('A', 2), 13)
    rows.event(row('C', 1), 9)
    expect(shown(rows)).toEqual(['A.3', 'B.2'])
  })
  it('do not come back once they have left', () => {
    const rows = new TicketRows('centre')
    rows.snapshot([row('A', 1)], 10, true)
    rows.event(row('A', 3, 'handling'), 12)
    rows.event(row('A', 2), 13)
    expect(shown(rows)).toEqual([])
  })
  it('tell each change once, with what was there before', () => {
    const told: string[] = []
    const rows = new TicketRows('centre', (now, before) => told.push(`${before?.version ?? '-'}>${now?.version ?? '-'}`))
    rows.snapshot([row('A', 1)], 10, true)
    rows.event(row('A', 2), 11)
    rows.event(row('A', 2), 12)
    rows.event(row('A', 3, 'handling'), 13)
    rows.event(row('A', 4, 'handling'), 14)
    rows.snapshot([row('B', 1)], 20, true)
    rows.snapshot([], 30, true)
    expect(told).toEqual(['->1', '1>2', '2>-', '->1', '1>-'])
  })
  const kept = (rows: object): number => Object.values(rows as { known?: Map<string, unknown>; found?: Map<string, unknown> })
    .reduce((sum: number, one: unknown) => sum + (one instanceof Map ? one.size : Array.isArray(one) ? one.length : 0), 0)
  it('remember what left for minutes only', () => {
    let now = 0
    const rows = new TicketRows('centre', () => undefined, () => now)
    for (let index = 1; index <= 5000; index += 1) {
      now += 1000
      rows.event(row(`A${index}`, 1), 2 * index)
      rows.event(row(`A${index}`, 2, 'handling'), 2 * index + 1)
    }
    expect(shown(rows)).toEqual([])
    expect(kept(rows)).toBeLessThan(800)
  })
  it('keep nothing of what never was theirs, but while a snapshot is under way', () => {
    const rows = new TicketRows('ticket:A')
    rows.loading = true
    rows.event(row('B', 2), 11)
    expect(kept(rows)).toBe(2)
    rows.loading = false
    for (let index = 1; index <= 5000; index += 1) rows.event(row(`C${index}`, 1), 11 + index)
    expect(kept(rows)).toBe(2)
  })
  it('are right though a later page of a snapshot tells of what has left meanwhile', () => {
    const rows = new TicketRows('centre')
    rows.loading = true
    rows.snapshot([row('A', 1)], 10, true)
    rows.event(row('B', 3, 'closed'), 12)
    rows.snapshot([row('B', 2)], 11, false)
    expect(shown(rows)).toEqual(['A.1'])
  })
  it('of people and callbacks keep those alone who are there', () => {
    const rows = new LatestRows<Callback>((one) => String(one.id), (one) => one.state !== 'done')
    const callback = (id: number, state: string): Callback => ({ id, state }) as unknown as Callback
    rows.loading = true
    rows.snapshot([callback(1, 'owed')], 10, true)
    rows.event(callback(2, 'done'), 12)
    rows.snapshot([callback(2, 'owed')], 11, false)
    expect(rows.rows.map((one) => one.id)).toEqual([1])
    rows.loading = false
    for (let id = 3; id < 3000; id += 1) {
      rows.event(callback(id, 'owed'), 2 * id + 20)
      rows.event(callback(id, 'done'), 2 * id + 21)
    }
    expect([rows.rows.map((one) => one.id), kept(rows)]).toEqual([[1], 2])
  })
})

it('knows the states of the centre as the service does', () => {
  const source = readFileSync(join(import.meta.dirname, '../../../hotline/summary.py'), 'utf8')
  const block = /CENTRE_STATES = frozenset\(\{([\s\S]*?)\}\)/.exec(source)![1]!
  const states = [...block.matchAll(/State\.(\w+)/g)].map((found) => found[1]!.toLowerCase())
  expect([...CENTRE_STATES].sort()).toEqual(states.sort())
})

it('a topic that is loaded shows its rows at once: who was available before a reload is not taken for a newcomer', async () => {
  const rows: Presence[] = [{ staff: 'li', state: 'available', since: '2026-11-21T00:00:00Z' }]
  const feed = new Feed('presence', () => Promise.resolve({ type: 'snapshot', topic: 'presence', seq: 1, rows } as never))
  const mine = computed(() => (void feed.version.value, feed.presence.rows.find((one) => one.staff === 'li') ?? null))
  expect(mine.value).toBeNull()
  const seen: (string | undefined)[] = []
  watch(feed.loading, () => seen.push(mine.value?.state))
  await feed.load()
  await nextTick()
  expect(seen).toEqual(['available'])
})
