// The agent's telephone as events tell it: the call of now, its card, what is heard; what is asked of it; and the call
// about which a colleague asks.
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { CallAct, CallNews, CallWords, Event, Party } from '@/generated/frames'
import { alarm as tellAlarm, tell, underWay } from '@/http/notice'
import { Again, useEvents, useLink, useReturn } from '@/link'
import { silentDesks } from '@/shared/silent'
import { turns } from '@/shared/turns'
import { alarmOf, heard, SERVICES, told, type Danger } from './calls'

const party = (news: CallNews | null): Party | null => news?.parties?.find((one) => one.role === 'party') ?? null

/** How long after its end a call's words are offered for a ticket, in ms: wrap-up is shorter. */
const FORGOTTEN_AFTER = 10 * 60_000
const TOUCH_EVERY = 60_000

export type CallDesk = ReturnType<typeof useCalls>

export function useCalls() {
  const link = useLink()
  const call = shallowRef<CallNews | null>(null)
  const asked = shallowRef<CallNews | null>(null)
  const words = shallowRef<readonly CallWords[]>([])
  const alarm = ref('')
  const inTurn = turns()
  /** The call whose words these are, for a while after its end too: its tickets may be written then. */
  const last = ref('')
  /** Tickets that were written of that call at this desk. */
  const made = new Set<string>()
  /** Whether the caller shall be held, from the asking until it is so. */
  const hold = ref<boolean | null>(null)
  let forgets: ReturnType<typeof setTimeout> | undefined
  /** The call that was told to be over: a late answer does not bring it back. */
  let over = ''
  /** How often one was told of a call: what is read back is older than what was told since it was asked for. */
  let tellings = 0

  function hear(event: Event): void {
    if (!event.data) return
    if (event.type === 'call') news(event.data as CallNews)
    else if (event.type === 'transcript') listen(event.data as CallWords)
  }

  function news(next: CallNews): void {
    const me = link.staff?.name ?? ''
    if (next.agent !== me && next.colleague !== me) {
      if (link.staff?.role === 'supervisor') alarmed(next)
      return
    }
    tellings += 1
    const after = told({ own: call.value, asked: asked.value }, next, me)
    const mine = after.own?.call === next.call
    if (!mine && after.asked?.call !== next.call) over = next.call
    else if (over === next.call) over = ''
    const fresh = mine && call.value?.call !== next.call
    if (fresh) {
      words.value = []
      alarm.value = ''
      made.clear()
      last.value = next.call
      hold.value = null
    }
    if (hold.value === Boolean(after.own?.held_since)) hold.value = null
    call.value = after.own
    asked.value = after.asked
    if (mine) alarm.value = alarmOf(next) || alarm.value
    if (fresh) readBack(next.call).catch(tell)
  }

  /** Another agent's call of which supervisors are told: an emergency desk did not pick up. */
  function alarmed(next: CallNews): void {
    const desks = silentDesks(next.unanswered)
    if (desks) tellAlarm('console.call.silentElsewhere', { name: next.agent ?? '', desks })
  }

  function forget(): void {
    words.value = []
    last.value = ''
  }

  /** What was said before this page was there, and who calls; without `id` whether there is a call at all. */
  async function readBack(id = ''): Promise<void> {
    const before = tellings
    const { card, words: said, news: now } = await link.ask({ type: 'call_card', call: id })
    if (!id) {
      if (before !== tellings) return readBack()
      if (!now || now.colleague) call.value = null // it ended while the line was broken
      if (!now?.colleague) asked.value = null
      if (now && now.call !== over) news({ ...now, card: card ?? null })
      return
    }
    if (call.value?.call !== id) return
    call.value = { ...call.value, card: card ?? call.value.card }
    words.value = (said ?? []).reduce(heard, words.value)
  }

  function listen(sentence: CallWords): void {
    if (sentence.call === call.value?.call) words.value = heard(words.value, sentence)
  }

  /** Ask something of the call, one's own or a colleague's, after what was asked before; true if it was carried out. */
  async function order(act: CallAct, to = ''): Promise<boolean> {
    const target = call.value ?? asked.value
    if (!target) return false
    try {
      const answer = await inTurn.take(`${target.call} ${act} ${to}`, () => link.ask({ type: 'call', call: target.call, act, to }))
      if (answer === null) underWay()
      return answer !== null
    } catch (error) {
      tell(error)
      return false
    }
  }

  /** Hold the caller, or talk again: the other of what was asked last, though the PBX has not told yet that it is so. */
  async function toggleHold(): Promise<void> {
    hold.value = !(hold.value ?? Boolean(call.value?.held_since))
    if (!(await order(hold.value ? 'hold' : 'resume'))) hold.value = null
  }
  const suggestion = computed(() => words.value.findLast((one) => one.suggestion)?.suggestion ?? null)

  /** What was heard in the call of now, where it concerns a ticket: written of it, dialled for it, or none is open. */
  function dangerFor(number: string): Danger | null {
    if (!call.value || (number && number !== call.value.number && !made.has(number))) return null
    return { alarm: alarm.value, services: SERVICES.filter((one) => suggestion.value?.services?.includes(one)) }
  }

  /** A ticket was written of a call. */
  function wrote(number: string, of: string): void {
    if (of && of === last.value) made.add(number)
  }
  watch(call, (now) => {
    clearTimeout(forgets)
    if (now) return
    alarm.value = '' // words of danger are those of the call that goes on
    forgets = setTimeout(forget, FORGOTTEN_AFTER)
  })
  // Who talks is there, though they touch nothing: they are not logged out in the middle of a long call.
  const talks = setInterval(() => (call.value?.phase === 'talking' || party(asked.value)?.up) && link.touch(), TOUCH_EVERY)
  onScopeDispose(() => clearInterval(talks))
  useEvents(hear)
  const reads = new Again(() => readBack(), tell)
  onScopeDispose(() => reads.stop())
  useReturn(() => reads.start())
  // A page that is loaded in the middle of a call shows it.
  const stop = watch(() => link.state, (state) => {
    if (state !== 'online') return
    reads.start()
    queueMicrotask(() => stop())
  }, { immediate: true })

  return {
    call, asked, words, alarm, order, toggleHold, busy: inTurn.busy,
    /** The call that a ticket begun now belongs to: one's own, or that which has just ended; a colleague's is the colleague's. */
    ofTicket: computed(() => call.value?.call ?? (asked.value ? '' : last.value)),
    /** Whether one's telephone rings. */
    ringing: computed(() => call.value?.phase === 'ringing' || Boolean(asked.value && !party(asked.value)?.up)),
    talking: computed(() => call.value?.phase === 'talking'),
    party: computed(() => party(call.value)),
    suggestion, dangerFor, wrote,
    text: computed(() => words.value.filter((one) => one.side === 'citizen').map((one) => one.text).join('')),
  }
}
