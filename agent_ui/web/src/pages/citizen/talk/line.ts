// The thin side of the chat: one WebSocket that comes back by itself. What to say is decided in conversation.ts.
import { pauseAfter } from '../kit/backoff'
import type { ChatAnswer, ChatFrame } from '../kit/wire'

export type LineState = 'connecting' | 'online' | 'broken'

export interface Listener {
  hello(): ChatFrame
  heard(frame: ChatAnswer): void
  state(state: LineState): void
}

const FIRST_FRAME = 10_000
/** A service that has something to answer says something within this time, in ms: else the line is dead, whatever the browser thinks. */
const SILENT_AFTER = 20_000
/** A device that has slept so long, in ms, has no line that can be trusted: the network has forgotten it, and nobody says so. */
const SLEPT = 30_000

export class ChatLink {
  private socket: WebSocket | null = null
  private failed = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private wanted = false
  /** Messages that went out on this line and have no answer yet. */
  private readonly unanswered = new Set<string>()
  private silence: ReturnType<typeof setTimeout> | undefined
  private hidden = 0

  constructor(private readonly listener: Listener, private readonly address: string) {}

  start(): void {
    this.wanted = true
    window.addEventListener('online', this.now)
    window.addEventListener('offline', this.cut)
    document.addEventListener('visibilitychange', this.looked)
    this.connect()
  }

  stop(): void {
    this.wanted = false
    window.removeEventListener('online', this.now)
    window.removeEventListener('offline', this.cut)
    document.removeEventListener('visibilitychange', this.looked)
    this.cut()
    clearTimeout(this.timer)
  }

  /** Send a frame if there is a line; without one it goes with the next welcome. */
  send(frame: ChatFrame): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return
    this.socket.send(JSON.stringify(frame))
    if (frame.type === 'message' && frame.id) this.unanswered.add(frame.id)
    this.listen()
  }

  /** Wait for a sign of life while something has no answer. */
  private listen(): void {
    clearTimeout(this.silence)
    if (this.unanswered.size > 0) this.silence = setTimeout(this.renew, SILENT_AFTER)
  }

  private readonly now = (): void => {
    clearTimeout(this.timer)
    if (this.wanted && !this.socket) this.connect()
  }

  /** The device says that it has no net: no need to wait until the silence is noticed. A dead socket takes long to say that it has closed. */
  private readonly cut = (): void => {
    const socket = this.socket
    if (!socket) return
    socket.close()
    this.closed(socket)
  }

  private readonly renew = (): void => {
    this.cut()
    this.now()
  }

  private readonly looked = (): void => {
    if (document.hidden) this.hidden = Date.now()
    else if (this.hidden && Date.now() - this.hidden > SLEPT) this.renew()
  }

  private connect(): void {
    this.listener.state('connecting')
    const socket = new WebSocket(this.address)
    this.socket = socket
    this.timer = setTimeout(this.cut, FIRST_FRAME)
    socket.onopen = () => socket.send(JSON.stringify(this.listener.hello()))
    // One that was given up may still speak; nobody listens.
    socket.onmessage = ({ data }) => socket === this.socket && this.taken(JSON.parse(String(data)) as ChatAnswer)
    socket.onclose = () => this.closed(socket)
  }

  private taken(frame: ChatAnswer): void {
    if (frame.type === 'welcome') {
      clearTimeout(this.timer)
      this.failed = 0
      this.listener.state('online')
    }
    this.answered(frame)
    this.listener.heard(frame)
  }

  /** An error that names no message answers whichever was meant: it would be the same on another line. */
  private answered(frame: ChatAnswer): void {
    if (frame.type === 'error' && !frame.id) this.unanswered.clear()
    else if (frame.type === 'ack' || frame.type === 'error') this.unanswered.delete(frame.id ?? '')
    this.listen()
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket) return
    this.socket = null
    this.unanswered.clear()
    clearTimeout(this.silence)
    clearTimeout(this.timer)
    if (!this.wanted) return
    this.failed += 1
    this.listener.state('broken')
    this.timer = setTimeout(this.now, pauseAfter(this.failed))
  }
}
