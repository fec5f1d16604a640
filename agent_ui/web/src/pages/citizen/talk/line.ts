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

export class ChatLink {
  private socket: WebSocket | null = null
  private failed = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private wanted = false

  constructor(private readonly listener: Listener, private readonly address: string) {}

  start(): void {
    this.wanted = true
    window.addEventListener('online', this.now)
    window.addEventListener('offline', this.cut)
    this.connect()
  }

  stop(): void {
    this.wanted = false
    window.removeEventListener('online', this.now)
    window.removeEventListener('offline', this.cut)
    clearTimeout(this.timer)
    this.socket?.close()
  }

  /** Send a frame if there is a line; without one it goes with the next welcome. */
  send(frame: ChatFrame): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame))
  }

  private readonly now = (): void => {
    clearTimeout(this.timer)
    if (this.wanted && !this.socket) this.connect()
  }

  /** The device says that it has no net: no need to wait until the silence is noticed. */
  private readonly cut = (): void => this.socket?.close()

  private connect(): void {
    this.listener.state('connecting')
    const socket = new WebSocket(this.address)
    this.socket = socket
    this.timer = setTimeout(() => socket.close(), FIRST_FRAME)
    socket.onopen = () => socket.send(JSON.stringify(this.listener.hello()))
    socket.onmessage = ({ data }) => this.taken(JSON.parse(String(data)) as ChatAnswer)
    socket.onclose = () => this.closed(socket)
  }

  private taken(frame: ChatAnswer): void {
    if (frame.type === 'welcome') {
      clearTimeout(this.timer)
      this.failed = 0
      this.listener.state('online')
    }
    this.listener.heard(frame)
  }

  private closed(socket: WebSocket): void {
    if (socket !== this.socket) return
    this.socket = null
    clearTimeout(this.timer)
    if (!this.wanted) return
    this.failed += 1
    this.listener.state('broken')
    this.timer = setTimeout(this.now, pauseAfter(this.failed))
  }
}
