// The ticket before the agent: opened, followed, acted on, never overwritten, and who else looks at it.
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { Command, Event, Looking, Opened, TicketEvent } from '@/generated/frames'
import { done, tell, underWay } from '@/http/notice'
import { isProblem } from '@/http/problem'
import { useEvents, useLink, useReturn } from '@/link'
import type { Feed } from '@/link/feeds'

/** What somebody else has done counts as seen after so many milliseconds on the screen. */
const SEEN_AFTER = 2_000
const LOOK_EVERY = 60_000
const GONE_AFTER = 90_000

export type TicketDesk = ReturnType<typeof useTicket>

export function useTicket(words: { done: (type: string) => string }) {
  const link = useLink()
  const number = ref('')
  const opened = shallowRef<Opened | null>(null)
  const loading = ref(false)
  /** The version that the agent has seen: commands are meant for it. */
  const seen = ref(0)
  /** Something typed or chosen that is not sent yet: news then wait to be confirmed. */
  const dirty = ref(false)
  const news = shallowRef<TicketEvent[]>([])
  const viewers = shallowRef<Looking[]>([])
  const busy = ref(false)
  let feed: Feed | null = null
  let due: ReturnType<typeof setTimeout> | undefined
  let round = 0

  async function choose(next: string): Promise<void> {
    if (next === number.value && (next === '' || loading.value || isOpen())) return // one that could not be opened is tried again
    leave(next !== '') // the old one stays drawn until the new one is there: nothing is built anew
    number.value = next
    if (!next) return
    feed = link.feeds.use(`ticket:${next}`)
    loading.value = true
    try {
      await Promise.all([read(), look()])
    } catch (error) {
      if (!isOpen()) opened.value = null
      throw error
    } finally {
      if (next === number.value) loading.value = false
    }
  }

  /** The ticket that is drawn is the one that was chosen. */
  const isOpen = (): boolean => opened.value?.ticket.number === number.value

  function leave(drawn = false): void {
    clearTimeout(due)
    if (feed) {
      link.feeds.leave(feed)
      link.ask({ type: 'look', number: number.value, away: true }).catch(() => undefined) // it is courtesy, not needed
    }
    feed = null
    number.value = ''
    if (!drawn) opened.value = null
    loading.value = false
    seen.value = 0
    dirty.value = false
    news.value = []
    viewers.value = []
  }

  async function read(reason = ''): Promise<void> {
    const asked = number.value
    const turn = (round += 1)
    const next = await link.open(asked, { reason })
    if (asked !== number.value) return // another ticket was chosen meanwhile
    if (turn !== round) { // a later answer came; but who gave a reason for seeing the citizen in full shall see them
      if (reason && isOpen()) opened.value = unmasked(opened.value!, next)
      return
    }
    const same = isOpen()
    const before = same ? opened.value!.ticket.version : next.ticket.version
    const known = !next.events.some((event) => event.version > before && event.fact.type === 'correct' && event.fact.citizen)
    opened.value = !reason && same && known && !opened.value!.masked ? unmasked(next, opened.value!) : next
    const foreign = next.events.filter((event) => event.version > before && event.actor.name !== link.staff?.name)
    if (foreign.length === 0 && news.value.length === 0) seen.value = next.ticket.version
    else announce(foreign)
  }

  /** Personal data that was shown stays shown while this ticket is open and nobody has learnt otherwise. */
  const unmasked = (next: Opened, shown: Opened): Opened => {
    const appeal = { ...next.ticket.appeal, citizen: shown.ticket.appeal.citizen }
    return { ...next, masked: false, ticket: { ...next.ticket, appeal } }
  }

  function announce(foreign: TicketEvent[]): void {
    news.value = [...news.value, ...foreign]
    clearTimeout(due)
    if (!dirty.value) due = setTimeout(confirm, SEEN_AFTER)
  }

  /** The agent has seen what others did. */
  function confirm(): void {
    clearTimeout(due)
    news.value = []
    seen.value = opened.value?.ticket.version ?? 0
  }

  /** Carry out a command on the version that was seen; true if it was done. */
  async function act(...commands: Command[]): Promise<boolean> {
    if (busy.value) underWay()
    if (busy.value || !isOpen()) return false
    busy.value = true
    const target = number.value
    try {
      let version = seen.value
      for (const command of commands) version = (await link.act(target, command, version)).version ?? version + 1
      if (target === number.value) seen.value = version
      done(words.done(commands.at(-1)!.type))
      return true
    } catch (error) {
      // What changed is on the screen before the refusal is: who reads it may send again at once.
      if (isProblem(error, 'version_conflict') && target === number.value) await read().then(confirm).catch(tell)
      tell(error)
      return false
    } finally {
      busy.value = false
      if (target === number.value) await read().catch(tell)
    }
  }

  async function look(): Promise<void> {
    const asked = number.value
    if (!asked) return
    const { looking } = await link.ask({ type: 'look', number: asked })
    if (asked === number.value) viewers.value = looking ?? []
  }

  function hear(event: Event): void {
    if (event.type === 'look' && event.data) heardOf(event.data as Looking)
    else if (event.number === number.value && number.value) later()
  }

  function heardOf(look: Looking): void {
    if (look.number !== number.value || look.staff === link.staff?.name) return
    const others = viewers.value.filter((one) => one.staff !== look.staff)
    viewers.value = look.away ? others : [...others, look]
  }

  let pending: ReturnType<typeof setTimeout> | undefined
  /** Several events of one change are read once. */
  function later(): void {
    clearTimeout(pending)
    pending = setTimeout(() => !busy.value && number.value && read().catch(tell), 60)
  }

  const allows = (command: string): boolean => isOpen() && opened.value!.commands.includes(command)

  useEvents(hear)
  useReturn(() => {
    if (number.value) Promise.all([read(), look()]).catch(tell)
  })
  const looking = setInterval(() => {
    viewers.value = viewers.value.filter((one) => link.serverNow() - Date.parse(one.at) < GONE_AFTER)
    if (link.state === 'online') look().catch(tell)
  }, LOOK_EVERY)
  watch(dirty, (now) => now && clearTimeout(due))
  onScopeDispose(() => {
    clearInterval(looking)
    clearTimeout(pending)
    leave()
  })

  return {
    number, opened, loading, seen, dirty, news, viewers, busy, choose, act, confirm, leave: () => leave(),
    unmask: (reason: string) => read(reason),
    can: (command: string) => computed(() => allows(command)),
    allows,
  }
}
