// What the citizens' pages decide without a browser: the appeal, the parcel under way, stations, links, danger.
import { beforeEach, describe, expect, it } from 'vitest'
import { Problem } from '../src/http/problem'
import { pauseAfter } from '../src/pages/citizen/kit/backoff'
import { soundsDangerous } from '../src/pages/citizen/kit/danger'
import { linkTo, openedBy } from '../src/pages/citizen/kit/ticketLink'
import { codeTyped, numberTyped } from '../src/pages/citizen/kit/typed'
import type { State } from '../src/pages/citizen/kit/wire'
import { forget, isWanted, remember, remembered, want } from '../src/pages/citizen/mine/remembered'
import { bodyOf, EMPTY, mistakes, type Draft } from '../src/pages/citizen/send/appeal'
import { deliver, packed, waitingParcel, type Answer } from '../src/pages/citizen/send/outbox'
import { fitted } from '../src/pages/citizen/send/photos'
import { asked, reached, STATIONS, stationsOf } from '../src/pages/citizen/track/stages'
import { keyFor, settled } from '../src/pages/citizen/track/useKeyed'

const draft = (more: Partial<Draft>): Draft => ({ ...EMPTY, ...more })
const photo = { key: 'k', name: 'a.jpg', size: 1, thumb: '', at: 0 }
const ANSWER = { number: 'DG1', code: '1' } as Answer
beforeEach(() => localStorage.clear())

describe('an appeal', () => {
  it('says only what was filled in', () => {
    expect(bodyOf(draft({ text: ' 路灯不亮 ', name: ' ', phone: '' }), 'x')).toEqual({ text: '路灯不亮' })
    expect(bodyOf(draft({ photos: [photo] }), '[p]')).toEqual({ text: '[p]', attachments: [{ key: 'k', name: 'a.jpg' }] })
    expect(bodyOf(draft({ text: 'x', town: '南城', position: { lat: 23, lon: 113, accuracy: 9 }, confidential: true, kind: 'report' }), '')).toEqual({
      text: 'x', kind: 'report', confidential: true, place: { town: '南城', lat: 23, lon: 113, datum: 'wgs84' },
    })
  })
  it('says when it happened and whom it is about', () => {
    expect(bodyOf(draft({ text: 'x', happenedAt: ' 昨晚十点 ', about: ' 某工地 ' }), '')).toEqual({ text: 'x', happened_at: '昨晚十点', about: '某工地' })
  })
  it.each([
    [{}, { text: 'empty' }], [{ text: ' \n' }, { text: 'empty' }], [{ photos: [photo] }, {}], [{ text: 'x'.repeat(10_001) }, { text: 'long' }],
    [{ text: 'x', phone: '12' }, { phone: 'phone' }], [{ text: 'x', phone: '138-0013-8000' }, {}], [{ text: 'x', phone: '(0769) 2222 3333' }, {}],
    [{ text: 'x', phone: 'abc' }, { phone: 'phone' }],
  ])('%o is checked', (given, wrong) => expect(mistakes(draft(given as Partial<Draft>))).toEqual(wrong))
})

describe('a parcel', () => {
  const trying = { pause: () => Promise.resolve(), waiting: () => {}, stopped: () => false }

  it('goes unchanged under one key until it is answered', async () => {
    const keys: string[] = []
    const parcel = packed({ text: 'x' })
    expect(waitingParcel()).toEqual(parcel)
    const answer = await deliver(waitingParcel()!, trying, (sent) => {
      keys.push(`${sent.key} ${JSON.stringify(sent.body)}`)
      return keys.length < 4 ? Promise.reject(new Problem({ errorId: 'offline' })) : Promise.resolve(ANSWER)
    })
    expect(answer).toBe(ANSWER)
    expect(new Set(keys).size).toBe(1)
    expect(waitingParcel()).toBeNull()
  })
  it('that is refused for good is a draft again', async () => {
    const parcel = packed({ text: 'x' })
    await expect(deliver(parcel, trying, () => Promise.reject(new Problem({ errorId: 'invalid_input' })))).rejects.toThrow('invalid_input')
    expect(waitingParcel()).toBeNull()
  })
  it('waits on the device when the page goes', async () => {
    const parcel = packed({ text: 'x' })
    let tries = 0
    const answer = await deliver(parcel, { ...trying, stopped: () => tries > 2 }, () => {
      tries += 1
      return Promise.reject(new Problem({ errorId: 'overloaded' }))
    })
    expect(answer).toBeNull()
    expect(waitingParcel()).toEqual(parcel)
  })
  it.each(['', '{', '{"key":1}', '[]', 'null'])('of which only %j is left is none', (kept) => {
    localStorage.setItem('hotline.outbox', kept)
    expect(waitingParcel()).toBeNull()
  })
})

it('pauses grow, and differ between devices', () => {
  expect([1, 2, 3, 4, 5, 6, 20].map((failed) => pauseAfter(failed, () => 1))).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  expect(pauseAfter(3, () => 0)).toBe(2000)
})

describe('a message to a ticket', () => {
  it('keeps its key for the same words until it is settled', () => {
    const key = keyFor('citizen.n', 'a')
    expect(keyFor('citizen.n', 'a')).toBe(key)
    expect(keyFor('citizen.n', 'b')).not.toBe(key)
    const second = keyFor('citizen.n', 'b')
    settled('citizen.n')
    expect(keyFor('citizen.n', 'b')).not.toBe(second)
  })
})

describe('the way of a ticket', () => {
  const STATES: State[] = [
    'received', 'need_info', 'pending_dispatch', 'pending_sign', 'return_requested', 'arbitration', 'handling', 'pending_review', 'answered',
    'handed_off', 'pending_follow_up', 'redo', 'closed', 'rejected', 'withdrawn', 'merged', 'archived',
  ]
  it.each(STATES)('%s has one station of now at most, and what is done lies before it', (status) => {
    const looks = stationsOf({ status, steps: [] }).map(({ look }) => look)
    expect(looks).toHaveLength(STATIONS.length)
    expect(looks.filter((look) => look === 'now').length).toBeLessThanOrEqual(1)
    const order = { done: 0, now: 1, ahead: 2, ended: 2 }
    expect(looks.map((look) => order[look])).toEqual([...looks.map((look) => order[look])].sort())
  })
  it('of a merged ticket is its matter\'s', () => {
    const step = (kind: string) => ({ at: '', title: '', text: '', kind })
    expect(reached({ status: 'merged', steps: [] })).toBe(1)
    expect(reached({ status: 'merged', steps: ['receive', 'dispatch', 'sign'].map(step) })).toBe(2)
    expect(reached({ status: 'merged', steps: ['sign', 'accept_reply'].map(step) })).toBe(3)
  })
  it('tells what waits for the citizen', () => {
    expect(asked({ status: 'need_info', may: ['supplement'], rating: null })).toBe('info')
    expect(asked({ status: 'closed', may: ['rate'], rating: null })).toBe('rating')
    expect(asked({ status: 'closed', may: ['rate'], rating: 'satisfied' })).toBe('')
  })
})

describe('what is typed', () => {
  it.each([
    ['DG2026112130000017', '012345'], [' dg2026112130000017 ', ' 012345'], ['ＤＧ２０２６１１２１３０００００１７', '０１２３４５'],
    ['DG20261121 3000 0017', '012 345'], ['工单号：DG2026112130000017，', '\u200b012345'],
  ])('%j and %j open the ticket', (number, code) =>
    expect([numberTyped(number), codeTyped(code)]).toEqual(['DG2026112130000017', '012345']))
  it('as a telephone may be full-width, as the service reads it', () => {
    const draft = { ...EMPTY, text: '路灯不亮', phone: ' １３８００１３８０００' }
    expect(mistakes(draft)).toEqual({})
    expect(bodyOf(draft, '').phone).toBe('13800138000')
  })
})

describe('a link to a ticket', () => {
  it('opens what it was made for', () => {
    const ticket = { number: 'DG2026112130000017', code: '012345' }
    expect(openedBy(new URL(linkTo(ticket, 'https://12345.example')).hash)).toEqual(ticket)
  })
  it.each(['', '#', '#t=', '#t=DG20261121-12<3', '#t=javascript:alert(1)', '#t=DG2026112130000017'])('%j opens nothing', (hash) =>
    expect(openedBy(hash)).toBeNull())
})

it.each([['厂房着火了', true], ['有人溺水,快来', true], ['My neighbour is trapped', true], ['路灯不亮', false], ['', false]])('%s', (text, danger) =>
  expect(soundsDangerous(text)).toBe(danger))

it.each([[4000, 3000, [2000, 1500]], [100, 50, [100, 50]], [1, 40_000, [1, 2000]], [0, 0, [1, 1]]])('a picture of %i × %i fits', (width, height, size) =>
  expect(fitted(width, height, 2000)).toEqual(size))

describe('reports on this device', () => {
  const one = { number: 'DG1', code: '1', at: '', words: 'x' }
  it('are remembered only if that is wanted, each once, the newest first', () => {
    remember(one)
    expect([isWanted(), remembered()]).toEqual([null, []])
    want(true)
    for (const number of ['DG1', 'DG2', 'DG1']) remember({ ...one, number })
    expect(remembered().map(({ number }) => number)).toEqual(['DG1', 'DG2'])
    forget('DG1')
    expect(remembered().map(({ number }) => number)).toEqual(['DG2'])
    want(false)
    expect([isWanted(), remembered()]).toEqual([false, []])
  })
  it('that were cut off are none', () => {
    localStorage.setItem('hotline.mine', '[{"number":')
    expect(remembered()).toEqual([])
  })
})
