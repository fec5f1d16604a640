// The agent's telephone as events tell it: the call of now, its card, what is heard; what is asked of it; and the call
// about which a colleague asks.
import { computed, ref, shallowRef, watch } from 'vue'
import type { CallAct, CallNews, CallWords, Event, Party } from '@/generated/frames'
import { tell } from '@/http/notice'
import { useEvents, useLink, useReturn } from '@/link'
import { alarmOf, heard, told } from './calls'

const party = (news: CallNews | null): Party | null => news?.parties?.find((one) => one.role === 'party') ?? null

export type CallDesk = ReturnType<typeof useCalls>

export function useCalls() {
  const link = useLink()
  const call = shallowRef<CallNews | null>(null)
  const asked = shallowRef<CallNews | null>(null)
  const words = shallowRef<readonly CallWords[]>([])
  const alarm = ref('')
  const busy = ref(false)
  /** The call that was told to be over: a late answer does not bring it back. */
  let over = ''

  function hear(event: Event): void {
    if (!event.data) return
    if (event.type === 'call') news(event.data as CallNews)
    else if (event.type === 'transcript') listen(event.data as CallWords)
  }

  function news(next: CallNews): void {
    const me = link.staff?.name ?? ''
    if (next.agent !== me && next.colleague !== me) return
    const after = told({ own: call.value, asked: asked.value }, next, me)
    const mine = after.own?.call === next.call
    if (!mine && after.asked?.call !== next.call) over = next.call
    else if (over === next.call) over = ''
    const fresh = mine && call.value?.call !== next.call
    if (fresh) {
      words.value = []
      alarm.value = ''
    }
    call.value = after.own
    asked.value = after.asked
    if (mine) alarm.value = alarmOf(next) || alarm.value
    if (fresh) readBack(next.call).catch(tell)
  }

  /** What was said before this page was there, and who calls; without `id` whether there is a call at all. */
  async function readBack(id = ''): Promise<void> {
    const { card, words: said, news: now } = await link.ask({ type: 'call_card', call: id })
    if (!id) {
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

  /** Ask something of the call, one's own or a colleague's; true if it was carried out. */
  async function order(act: CallAct, to = ''): Promise<boolean> {
    const target = call.value ?? asked.value
    if (!target || busy.value) return false
    busy.value = true
    try {
      await link.ask({ type: 'call', call: target.call, act, to })
      return true
    } catch (error) {
      tell(error)
      return false
    } finally {
      busy.value = false
    }
  }
  useEvents(hear)
  useReturn(() => void readBack().catch(tell))
  // A page that is loaded in the middle of a call shows it.
  const stop = watch(() => link.state, (state) => {
    if (state !== 'online') return
    readBack().catch(tell)
    queueMicrotask(() => stop())
  }, { immediate: true })

  return {
    call, asked, words, alarm, order, busy,
    /** Whether one's telephone rings. */
    ringing: computed(() => call.value?.phase === 'ringing' || Boolean(asked.value && !party(asked.value)?.up)),
    talking: computed(() => call.value?.phase === 'talking'),
    party: computed(() => party(call.value)),
    suggestion: computed(() => words.value.findLast((one) => one.suggestion)?.suggestion ?? null),
    text: computed(() => words.value.filter((one) => one.side === 'citizen').map((one) => one.text).join('')),
  }
}
