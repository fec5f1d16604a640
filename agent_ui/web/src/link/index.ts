// The console's link to the gateway as pages use it. See agent_ui/web/README.md.
import { defineStore } from 'pinia'
import { computed, markRaw, onScopeDispose, ref, shallowRef } from 'vue'
import type { Command, Event, Ok, Opened, ServerFrame, State } from '../generated/frames'
import { tell } from '../http/notice'
import { isProblem, type Problem } from '../http/problem'
import { router } from '../router'
import { useSession } from '../session'
import { Feeds, type Feed } from './feeds'
import { START, type Ask, type Link, type Reply } from './machine'
import { Line } from './socket'
import { settledBefore } from './once'

export { Again } from './again'
export type { Ask } from './machine'
export type LineState = 'online' | 'connecting' | 'reconnecting' | 'offline'

/** Requests that may be sent again unseen: they only read, or the service knows a repeat by its key. */
const REPEATABLE: ReadonlySet<Ask['type']> = new Set([
  'snapshot', 'open', 'search', 'similar', 'hotspots', 'consult', 'article', 'presence', 'phone_appeal', 'merge',
  'dismiss_similar', 'terms', 'propose', 'explain', 'look', 'floor', 'call_card',
])

/** What a unit works on, or waits for. */
const UNIT_STATES: State[] = [
  'pending_sign', 'handling', 'need_info', 'return_requested', 'arbitration', 'pending_review', 'pending_follow_up', 'redo',
]

export const useLink = defineStore('link', () => {
  const link = shallowRef<Link>(START)
  const skew = ref(0)
  const known = ref(false)
  const hearers = new Set<(event: Event) => void>()
  const returns = new Set<() => void>()

  const line = new Line({
    changed: (next) => (link.value = next),
    events: hear,
    refresh: () => feeds.reload(),
    online: (again) => {
      known.value = true
      if (!again) return
      feeds.hurry()
      returns.forEach((back) => back())
    },
    ended: (reason) => void leave(reason),
    refused: tell,
    skew: (ms) => (skew.value = ms),
  })
  const feeds = new Feeds(takePage, (topic) => line.follow([topic]), (topic) => line.unfollow([topic]), tell)

  function hear(frame: Extract<ServerFrame, { type: 'events' }>): void {
    for (const event of frame.events) {
      feeds.event(event)
      for (const hearer of hearers) hearer(event)
    }
  }

  async function takePage(topic: string, cursor: string): Promise<Extract<Reply, { type: 'snapshot' }>> {
    const states = topic.startsWith('department:') ? UNIT_STATES : [] // not all that a unit has ever closed
    const { reply } = await line.ask({ type: 'snapshot', topic, limit: 500, states, ...(cursor ? { cursor } : {}) }, true)
    return reply as Extract<Reply, { type: 'snapshot' }>
  }

  async function leave(reason: string): Promise<void> {
    if (reason !== 'unauthenticated' && reason !== 'session_ended') return
    useSession().forget()
    await router.push({ path: '/login', query: { to: router.currentRoute.value.fullPath, ended: 'yes' } })
  }

  /** Ask something and return its answer; throws a Problem. */
  async function ask(asked: Ask): Promise<Ok> {
    const { reply } = await line.ask(asked, REPEATABLE.has(asked.type))
    return reply as Ok
  }

  /** Carry a command out on the version that the person saw, exactly once even if the line breaks in between. */
  async function act(number: string, command: Command, version: number): Promise<Ok> {
    const asked: Ask = { type: 'command', number, command, expected_version: version }
    try {
      return (await line.ask(asked, true)).reply as Ok
    } catch (error) {
      if (!isProblem(error, 'version_conflict') || !(error as Problem & { repeated?: boolean }).repeated) throw error
      const since = await open(number, { since: version - 1 })
      const done = settledBefore(since, command, version, link.value.staff)
      if (!done) throw error
      return { type: 'ok', id: 0, number, version: version + 1, state: since.ticket.state }
    }
  }

  /** Open a ticket; with a `reason` personal data comes in full, and who looked is recorded. */
  async function open(number: string, more: { since?: number; reason?: string } = {}): Promise<Opened> {
    const reply = await ask({ type: 'open', number, since_version: more.since ?? 0, reason: more.reason ?? '' })
    if (!reply.opened) throw new Error('an answer to open without a ticket')
    return reply.opened
  }

  const state = computed<LineState>(() => {
    const { phase } = link.value
    if (phase === 'online') return 'online'
    if (phase === 'idle' || phase === 'ended') return 'offline'
    return known.value ? 'reconnecting' : 'connecting'
  })

  window.addEventListener('online', () => line.hurry())
  window.addEventListener('offline', () => line.cut())
  for (const kind of ['pointerdown', 'keydown']) window.addEventListener(kind, () => line.touched(), { passive: true })

  return {
    state,
    staff: computed(() => link.value.staff),
    /** How many requests wait for the line or for their answer. */
    waiting: computed(() => link.value.requests.length),
    /** The service's present moment, in milliseconds. */
    serverNow: () => Date.now() + skew.value,
    start: () => line.start(),
    stop: () => line.stop(),
    hurry: () => line.hurry(),
    /** The person is at work here: their session does not idle out. */
    touch: () => line.touched(),
    ask, act, open, hearers, returns,
    /** As it is: a store makes what is in it reactive, and would give out other feeds than it keeps. */
    feeds: markRaw(feeds),
  }
})

/** Follow a topic while the component lives. Read `feed.version.value` to be told of changes. */
export function useTopic(topic: string): Feed {
  const { feeds } = useLink()
  const feed = feeds.use(topic)
  onScopeDispose(() => feeds.leave(feed))
  return feed
}

/** Hear every event of the followed topics while the component lives. */
export function useEvents(hearer: (event: Event) => void): void {
  const { hearers } = useLink()
  hearers.add(hearer)
  onScopeDispose(() => hearers.delete(hearer))
}

/** Be told when the line is back after a break. */
export function useReturn(back: () => void): void {
  const { returns } = useLink()
  returns.add(back)
  onScopeDispose(() => returns.delete(back))
}
