// The thin side of the link: one WebSocket, timers, the one-time ticket. What to do is decided in machine.ts.
import type { ConsoleFrame, ServerFrame } from '../generated/frames'
import { answerOf, api } from '../http/client'
import { isProblem, Problem } from '../http/problem'
import { advance, START, type Ask, type Effect, type Input, type Link, type Reply } from './machine'

const PING_EVERY = 3_000
const SILENT_AFTER = 9_000

export interface Listener {
  /** The link stands elsewhere than before. */
  changed(link: Link): void
  events(frame: Extract<ServerFrame, { type: 'events' }>): void
  /** Snapshots are to be taken anew. */
  refresh(): void
  online(again: boolean): void
  ended(reason: string): void
  refused(problem: Problem): void
  /** Milliseconds that the service's clock is ahead of ours. */
  skew(ms: number): void
}

interface Waiting {
  resolve(answer: { reply: Reply; repeated: boolean }): void
  reject(problem: Problem & { repeated?: boolean }): void
}

export class Line {
  link: Link = START
  private socket: WebSocket | null = null
  private heard = 0
  private attempt = 0
  private active = true
  private readonly waiting = new Map<number, Waiting>()
  private timers: ReturnType<typeof setTimeout>[] = []

  constructor(private readonly listener: Listener) {}

  start(): void {
    if (this.timers.length === 0) this.timers.push(setInterval(() => this.beat(), PING_EVERY))
    this.feed({ kind: 'start' })
  }

  stop(): void {
    this.timers.splice(0).forEach(clearTimeout)
    this.attempt += 1
    this.feed({ kind: 'stop' })
    this.socket = null
  }

  follow(topics: readonly string[]): void {
    this.feed({ kind: 'follow', topics })
  }

  unfollow(topics: readonly string[]): void {
    this.feed({ kind: 'unfollow', topics })
  }

  /** Somebody touched the page: their session does not idle out. */
  touched(): void {
    this.active = true
  }

  /** Try again at once: the network is back, or the person asks for it. */
  hurry(): void {
    this.feed({ kind: 'retry' })
  }

  /** The browser says that there is no network: the line is not waited for. */
  cut(): void {
    this.drop(1006)
  }

  /** Ask something; the answer comes once, after a break of the line too if it is `repeatable`. */
  ask(ask: Ask, repeatable: boolean): Promise<{ reply: Reply; repeated: boolean }> {
    const id = this.link.nextId
    const answer = new Promise<{ reply: Reply; repeated: boolean }>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject })
    })
    this.feed({ kind: 'ask', ask, repeatable })
    return answer
  }

  private feed(input: Input): void {
    const [link, effects] = advance(this.link, input, Math.random())
    const before = this.link
    this.link = link
    for (const effect of effects) this.carryOut(effect)
    if (link !== before) this.listener.changed(this.link)
  }

  private carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'connect':
        void this.connect()
        return
      case 'close':
        this.socket?.close(1000)
        return
      case 'retryIn':
        setTimeout(() => this.feed({ kind: 'retry' }), effect.ms)
        return
      case 'send':
        this.send(effect.frame)
        return
      case 'settle':
        this.settle(effect)
        return
      case 'events':
        this.listener.events(effect.frame)
        return
      case 'refresh':
        this.listener.refresh()
        return
      case 'online':
        this.listener.online(effect.again)
        return
      case 'ended':
        this.listener.ended(effect.reason)
        return
      case 'refused':
        this.listener.refused(new Problem(effect))
        return
      case 'time':
        this.listener.skew(Date.parse(effect.at) - Date.now())
    }
  }

  private settle(effect: Extract<Effect, { do: 'settle' }>): void {
    const waiting = this.waiting.get(effect.id)
    this.waiting.delete(effect.id)
    if (effect.reply) waiting?.resolve({ reply: effect.reply, repeated: effect.repeated })
    else {
      const problem = new Problem({ errorId: effect.errorId ?? 'internal', detail: effect.detail })
      waiting?.reject(Object.assign(problem, { repeated: effect.repeated }))
    }
  }

  private async connect(): Promise<void> {
    const mine = (this.attempt += 1)
    try {
      const { ticket, url } = await answerOf(api.POST('/api/v1/console-ticket'))
      if (mine === this.attempt) this.open(url, ticket) // it was stopped meanwhile, or begun anew: one line, or none
    } catch (error) {
      if (mine === this.attempt) this.feed({ kind: 'noTicket', final: isProblem(error, 'unauthenticated') })
    }
  }

  private open(url: string, ticket: string): void {
    const socket = new WebSocket(url)
    this.socket = socket
    this.heard = Date.now()
    socket.onopen = () => this.mine(socket) && this.feed({ kind: 'opened', ticket })
    socket.onmessage = (message) => {
      if (!this.mine(socket)) return
      this.heard = Date.now()
      this.feed({ kind: 'frame', frame: JSON.parse(message.data as string) as ServerFrame })
    }
    socket.onclose = (event) => this.mine(socket) && this.drop(event.code)
  }

  /** A socket that was given up may still speak; nobody listens. */
  private mine(socket: WebSocket): boolean {
    return this.socket === socket
  }

  private drop(code: number): void {
    const socket = this.socket
    if (!socket) return
    this.socket = null
    socket.close()
    this.feed({ kind: 'closed', code })
  }

  private send(frame: ConsoleFrame): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame))
  }

  private beat(): void {
    if (this.socket && Date.now() - this.heard > SILENT_AFTER) {
      this.drop(1006) // nothing was heard although we asked: the line is dead, whatever the browser thinks
    } else if (this.link.phase === 'online') {
      this.send({ type: 'ping', active: this.active })
      this.active = false
    }
  }
}
