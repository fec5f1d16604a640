// The console's line as pages start and stop it: never a second one beside the first, and none where none is wanted.
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

const { post } = vi.hoisted(() => ({ post: vi.fn() }))
vi.mock('../src/http/client', async (original) => ({ ...(await original<object>()), api: { POST: post } }))
const { Line } = await import('../src/link/socket')

class Socket {
  static readonly OPEN = 1
  static all: Socket[] = []
  readyState = 1
  sent: { type: string }[] = []
  onopen = (): void => undefined
  onmessage: (message: { data: string }) => void = () => undefined
  onclose: (event: { code: number }) => void = () => undefined

  constructor() {
    Socket.all.push(this)
  }
  send = (data: string): void => void this.sent.push(JSON.parse(data) as never)
  close = (): void => void (this.readyState = 2)
  says = (frame: object): void => this.onmessage({ data: JSON.stringify(frame) })
}
const li = { name: 'li', display_name: '李', role: 'supervisor' }
const welcome = (staff = li) => ({ type: 'welcome', seq: 10, staff, server_time: '2026-11-21T10:00:00Z', lease: 10 })
const settled = (): Promise<void> => new Promise((done) => setTimeout(done))

let tickets: (() => void)[]
let ended: string[]
let events: object[]
let line: InstanceType<typeof Line>

beforeEach(() => {
  vi.stubGlobal('WebSocket', Socket)
  Socket.all = []
  tickets = []
  ended = []
  events = []
  post.mockReset().mockImplementation(() => new Promise((answer) => {
    tickets.push(() => answer({ data: { ticket: 'T', url: 'ws://x' }, response: new Response(null, { status: 200 }) }))
  }))
  const nothing = (): void => undefined
  line = new Line({
    changed: nothing, refresh: nothing, online: nothing, refused: nothing, skew: nothing,
    events: (frame) => void events.push(frame), ended: (reason) => void ended.push(reason),
  })
})
afterEach(() => {
  line.stop()
  vi.unstubAllGlobals()
})

it('a line that was stopped before it had its ticket is not opened: a wallboard has none, and never logs out', async () => {
  line.start()
  line.stop()
  tickets[0]!()
  await settled()
  expect([Socket.all.length, line.link.phase]).toEqual([0, 'ended'])
})

it('a line that is stopped and started again is one line, and the old one is heard no more', async () => {
  line.start()
  line.stop()
  line.start()
  tickets.forEach((come) => come())
  await settled()
  const [first] = Socket.all
  expect(Socket.all.length).toBe(1)
  first!.onopen()
  first!.says(welcome())
  line.stop()
  line.start()
  first!.says({ type: 'events', events: [{ seq: 11 }] })
  first!.onclose({ code: 1000 })
  expect([events, line.link.phase, line.link.seq]).toEqual([[], 'connecting', null])
})

it('a page that wants no line gets none when the network is back', () => {
  line.hurry()
  expect([tickets.length, line.link.phase]).toEqual([0, 'idle'])
})
