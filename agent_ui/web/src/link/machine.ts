// What the link to the gateway does next, as a pure function of where it stands and what has happened.
// The thin side – socket, timers, HTTP – is socket.ts; the protocol is docs/console-protocol.md.
import type { ConsoleFrame, Follow, Hello, Ok, Ping, ServerFrame, Snapshot, Staff, Unfollow } from '../generated/frames'

export const MAX_UNDER_WAY = 8
const FIRST_WAIT = 500
const LONGEST_WAIT = 15_000

export type Phase = 'idle' | 'connecting' | 'greeting' | 'online' | 'waiting' | 'ended'
type Unnumbered<F> = F extends { type: string } ? Omit<F, 'id'> : never
/** A request as a page makes it; the link numbers it. */
export type Ask = Unnumbered<Exclude<ConsoleFrame, Hello | Follow | Unfollow | Ping>>
export type Reply = Ok | Snapshot

export interface Request {
  readonly id: number
  readonly ask: Ask
  /** It may be sent again when the line broke before its answer came. */
  readonly repeatable: boolean
  readonly sent: boolean
  readonly repeated: boolean
}

export interface Link {
  readonly phase: Phase
  readonly seq: number | null
  readonly staff: Staff | null
  readonly topics: readonly string[]
  readonly requests: readonly Request[]
  readonly nextId: number
  /** Failed attempts in a row. */
  readonly attempts: number
  readonly reason: string
}

export const START: Link = {
  phase: 'idle', seq: null, staff: null, topics: [], requests: [], nextId: 1, attempts: 0, reason: '',
}

export type Input =
  | { kind: 'start' } | { kind: 'retry' } | { kind: 'opened'; ticket: string } | { kind: 'noTicket'; final: boolean }
  | { kind: 'frame'; frame: ServerFrame } | { kind: 'closed'; code: number } | { kind: 'stop' }
  | { kind: 'follow'; topics: readonly string[] } | { kind: 'unfollow'; topics: readonly string[] }
  | { kind: 'ask'; ask: Ask; repeatable: boolean }

export type Effect =
  | { do: 'connect' } | { do: 'close' } | { do: 'retryIn'; ms: number } | { do: 'send'; frame: ConsoleFrame }
  | { do: 'events'; frame: Extract<ServerFrame, { type: 'events' }> }
  | { do: 'settle'; id: number; reply?: Reply; errorId?: string; detail?: string; repeated: boolean }
  | { do: 'refresh' } | { do: 'refused'; errorId: string; detail: string } | { do: 'time'; at: string }
  | { do: 'online'; again: boolean } | { do: 'ended'; reason: string }

type Step = readonly [Link, readonly Effect[]]
const step = (link: Link, ...effects: Effect[]): Step => [link, effects]

/** Milliseconds before attempt number `attempts` + 1; `spread` in 0…1 keeps a thousand consoles from coming at once. */
export const waitFor = (attempts: number, spread: number): number =>
  Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(attempts, 10)) * (0.5 + spread / 2)

/** Take one thing that happened; return the new state and what is to be done, in order. */
export function advance(link: Link, input: Input, spread = 1): Step {
  switch (input.kind) {
    case 'start':
    case 'retry': // the network is back, or the pause is over: only who waits comes again, not a page that wants no line
      return link.phase === 'waiting' || (input.kind === 'start' && (link.phase === 'idle' || link.phase === 'ended'))
        ? step({ ...link, phase: 'connecting', reason: '' }, { do: 'connect' })
        : step(link)
    case 'opened': {
      const hello = { type: 'hello' as const, ticket: input.ticket, ...(link.seq === null ? {} : { last_seq: link.seq }) }
      return step({ ...link, phase: 'greeting' }, { do: 'send', frame: hello })
    }
    case 'noTicket':
      return input.final ? ended(link, 'unauthenticated') : lost(link, spread)
    case 'closed':
      return closed(link, input.code, spread)
    case 'stop':
      return step({ ...START, phase: 'ended' }, { do: 'close' }, ...abandoned(link.requests))
    case 'follow':
      return follow(link, input.topics)
    case 'unfollow':
      return unfollow(link, input.topics)
    case 'ask':
      return ask(link, input.ask, input.repeatable)
    case 'frame':
      return take(link, input.frame)
  }
}

// ── what a page wants ────────────────────────────────────────────────────────────────────────────
function follow(link: Link, wanted: readonly string[]): Step {
  const topics = wanted.filter((topic) => !link.topics.includes(topic))
  if (topics.length === 0) return step(link)
  const next = { ...link, topics: [...link.topics, ...topics] }
  return link.phase === 'online' ? step(next, { do: 'send', frame: { type: 'follow', topics } }) : step(next)
}

function unfollow(link: Link, unwanted: readonly string[]): Step {
  const topics = link.topics.filter((topic) => unwanted.includes(topic))
  if (topics.length === 0) return step(link)
  const next = { ...link, topics: link.topics.filter((topic) => !unwanted.includes(topic)) }
  return link.phase === 'online' ? step(next, { do: 'send', frame: { type: 'unfollow', topics } }) : step(next)
}

function ask(link: Link, asked: Ask, repeatable: boolean): Step {
  const request = { id: link.nextId, ask: asked, repeatable, sent: false, repeated: false }
  return sendWaiting({ ...link, nextId: link.nextId + 1, requests: [...link.requests, request] })
}

/** Send what waits, in order, while fewer than MAX_UNDER_WAY are under way. */
function sendWaiting(link: Link): Step {
  if (link.phase !== 'online') return step(link)
  let free = MAX_UNDER_WAY - link.requests.filter((request) => request.sent).length
  const effects: Effect[] = []
  const requests = link.requests.map((request) => {
    if (request.sent || free <= 0) return request
    free -= 1
    effects.push({ do: 'send', frame: { ...request.ask, id: request.id } as ConsoleFrame })
    return { ...request, sent: true }
  })
  return [effects.length ? { ...link, requests } : link, effects]
}

// ── what the gateway says ────────────────────────────────────────────────────────────────────────
function take(link: Link, frame: ServerFrame): Step {
  switch (frame.type) {
    case 'welcome':
      return welcomed(link, frame)
    case 'events': {
      const last = frame.events.at(-1)
      return last ? step({ ...link, seq: Math.max(last.seq, link.seq ?? 0) }, { do: 'events', frame }) : step(link)
    }
    case 'pong':
      return step({ ...link, seq: Math.max(frame.seq, link.seq ?? 0) }, { do: 'time', at: frame.server_time })
    case 'too_old':
      return step({ ...link, seq: frame.seq }, { do: 'refresh' })
    case 'bye':
      return step({ ...link, reason: frame.reason })
    case 'ok':
    case 'snapshot':
      return settle(link, frame.id ?? null, { reply: frame })
    case 'error':
      if (frame.id === null || frame.id === undefined) {
        const refused: Effect = { do: 'refused', errorId: frame.error_id, detail: frame.detail }
        // It answers `follow`: what was missed could not be read, and nothing is followed. Coming back anew loses nothing.
        const deaf = link.phase === 'online' && frame.error_id === 'unavailable'
        return step(link, refused, ...(deaf ? [{ do: 'close' } as const] : []))
      }
      return settle(link, frame.id, { errorId: frame.error_id, detail: frame.detail })
  }
}

function welcomed(link: Link, frame: Extract<ServerFrame, { type: 'welcome' }>): Step {
  // Somebody else has logged in at this browser: what waits here is not theirs, and nothing of it is done or shown under their name.
  if (link.staff && link.staff.name !== frame.staff.name) {
    const [over, effects] = ended(link, 'session_ended')
    return step(over, { do: 'close' }, ...effects)
  }
  const again = link.seq !== null
  const online: Link = {
    ...link, phase: 'online', staff: frame.staff, seq: link.seq ?? frame.seq, attempts: 0, reason: '',
  }
  const topics = link.topics
  const [next, sends] = sendWaiting(online)
  const follows: Effect[] = topics.length ? [{ do: 'send', frame: { type: 'follow', topics: [...topics] } }] : []
  // What was missed comes first, then the answers to what had waited.
  return step(next, { do: 'time', at: frame.server_time }, ...follows, { do: 'online', again }, ...sends)
}

function settle(link: Link, id: number | null, outcome: { reply?: Reply; errorId?: string; detail?: string }): Step {
  const request = link.requests.find((one) => one.id === id)
  if (!request) return step(link) // answered before, or abandoned: a second answer changes nothing
  const [next, sends] = sendWaiting({ ...link, requests: link.requests.filter((one) => one.id !== id) })
  return step(next, { do: 'settle', id: request.id, repeated: request.repeated, ...outcome }, ...sends)
}

// ── how it ends, and begins anew ─────────────────────────────────────────────────────────────────
function closed(link: Link, code: number, spread: number): Step {
  if (link.phase === 'ended' || link.phase === 'idle' || link.phase === 'waiting') return step(link)
  const final = code === 4403 || code === 4400
  return final ? ended(link, link.reason || 'session_ended') : lost(link, spread)
}

function lost(link: Link, spread: number): Step {
  const unsure = link.requests.filter((request) => request.sent && !request.repeatable)
  const requests = link.requests.filter((request) => !unsure.includes(request))
    .map((request) => (request.sent ? { ...request, sent: false, repeated: true } : request))
  const next: Link = { ...link, phase: 'waiting', requests, attempts: link.attempts + 1 }
  return step(next, { do: 'retryIn', ms: waitFor(link.attempts, spread) }, ...abandoned(unsure))
}

const ended = (link: Link, reason: string): Step =>
  step({ ...link, phase: 'ended', requests: [], reason }, ...abandoned(link.requests), { do: 'ended', reason })

const abandoned = (requests: readonly Request[]): Effect[] =>
  requests.map(({ id, repeated }) => ({ do: 'settle', id, errorId: 'connection_lost', repeated }))
