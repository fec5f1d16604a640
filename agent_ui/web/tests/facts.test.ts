import { expect, it } from 'vitest'
import { correctionOf, NOTHING } from '../src/pages/console/facts'

it('only what was typed is sent, and nothing while nothing was typed', () => {
  expect(correctionOf({ ...NOTHING, name: '  ' })).toBeNull()
  expect(correctionOf({ ...NOTHING, phone: ' 13800138000 ' })).toEqual({ type: 'correct', citizen: { phone: '13800138000' } })
})
