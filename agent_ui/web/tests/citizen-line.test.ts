// The citizens' line on a phone: one that is dead, and of which nobody says so, is given up, and a new one brings what was missed.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ChatLink } from '../src/pages/citizen/talk/line'
import type { ChatAnswer } from '../src/pages/citizen/kit/wire'

class Socket {
  static readonly OPEN = 1
  static all: Socket[] = []
  readyState = 1
  sent: { type: string; id?: string }[] = []
  onopen = (): void => undefined
  onmessage: (message: { data: string }) => void = () => undefined
  onclose = (): void => undefined

  constructor() {
    Socket.all.push(this)
  }
  send = (data: string): void => void this.sent.push(JSON.parse(data) as never)
  close = (): void => void (this.readyState = 2) // the other side is gone: nobody answers the closing
  says = (frame: object): void => this.onmessage({ data: JSON.stringify(frame) })
}
const welcome = { type: 'welcome', session: 's', last_seq: 0 }
const ack = (id: string): object => ({ type: 'ack', id, seq: 1, appeal: {} })
const message = (id: string) => ({ type: 'message', id, text: id }) as const

let link: ChatLink
let heard: ChatAnswer[]
const last = (): Socket => Socket.all.at(-1)!
const up = (): void => (last().onopen(), last().says(welcome))

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('WebSocket', Socket)
  Socket.all = []
  heard = []
  link = new ChatLink({ hello: () => ({ type: 'hello' }), heard: (frame) => void heard.push(frame), state: () => undefined }, 'ws://x/chat')
  link.start()
  up()
})
afterEach(() => {
  link.stop()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  vi.useRealTimers()
})
const hide = (hidden: boolean): void => {
  vi.spyOn(document, 'hidden', 'get').mockReturnValue(hidden)
  document.dispatchEvent(new Event('visibilitychange'))
}

describe('a line on which nothing comes any more', () => {
  it('is given up when a message has no answer, and what it still says is not heard', () => {
    const dead = last()
    link.send(message('fire'))
    vi.advanceTimersByTime(20_000)
    expect(Socket.all.length).toBe(2)
    up()
    expect(last().sent).toEqual([{ type: 'hello' }])
    const before = heard.length
    dead.says(ack('fire'))
    expect(heard.length).toBe(before)
  })
  it('is kept while every message is answered, and nobody says anything', () => {
    link.send(message('m1'))
    last().says(ack('m1'))
    vi.advanceTimersByTime(3_600_000)
    expect(Socket.all.length).toBe(1)
  })
  it('is given up though the message before was answered', () => {
    link.send(message('m1'))
    link.send(message('m2'))
    last().says(ack('m1'))
    vi.advanceTimersByTime(20_000)
    expect(Socket.all.length).toBe(2)
  })
  it.each(['m1', ''])('is kept while a refusal of “%s” lets a message wait', (id) => {
    link.send(message('m1'))
    last().says({ type: 'error', error_id: 'rate_limited', id, retry_after: 60 })
    vi.advanceTimersByTime(60_000)
    expect(Socket.all.length).toBe(1)
  })
  it('is taken anew when the device wakes up, not after a glance elsewhere', () => {
    hide(true)
    vi.advanceTimersByTime(5_000)
    hide(false)
    expect(Socket.all.length).toBe(1)
    hide(true)
    vi.advanceTimersByTime(600_000)
    hide(false)
    expect(Socket.all.length).toBe(2)
  })
})

it('a chat that was left does not come back when the device wakes up', () => {
  hide(true)
  vi.advanceTimersByTime(600_000)
  link.stop()
  hide(false)
  vi.advanceTimersByTime(600_000)
  expect(Socket.all.length).toBe(1)
})
