import { expect, it } from 'vitest'
import { correctionOf, factsOf, NOTHING } from '../src/pages/console/facts'

it('only what was typed is sent, and nothing while nothing was typed', () => {
  expect(correctionOf({ ...NOTHING, name: '  ' })).toBeNull()
  expect(correctionOf({ ...NOTHING, phone: ' 13800138000 ' })).toEqual({ type: 'correct', citizen: { phone: '13800138000' } })
})

it('of a place only what was typed is sent, and what is unknown is not shown', () => {
  const place = { town: '南城', address: '鸿福路' }
  expect(correctionOf({ ...NOTHING, grid: ' 南城03-12', about: '某物业' })).toEqual(
    { type: 'correct', about: '某物业', place: { grid: '南城03-12' } })
  expect(factsOf({ town: '南城', appeal: { text: 'x', place, about: '' } } as never)).toEqual([['place', '南城 · 鸿福路']])
})
