// The agent's telephone as events tell it: the call of now, its card, what is heard; and what is asked of it.
import { computed, ref, shallowRef, watch } from 'vue'
import type { CallAct, CallNews, CallWords, Event } from '@/generated/frames'
import { tell } from '@/http/notice'
import { useEvents, useLink, useReturn } from '@/link'
import { alarmOf, heard } from './calls'

export type CallDesk = ReturnType<typeof useCalls>

export function useCalls() {
  const link = useLink()
  const call = shallowRef<CallNews | null>(null)
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
    if (next.agent !== link.staff?.name) return // an alarm of another agent's call: the topic `alarms` shows it
    // Who has handed a call over is out of it, though it goes on without them.
    if (next.phase === 'over' || !(next.parties ?? []).some((one) => one.role === 'agent' && one.name === next.agent)) {
      over = next.call
      if (call.value?.call === next.call) call.value = null
      return
    }
    const same = call.value?.call === next.call
    if (!same) {
      words.value = []
      alarm.value = ''
    }
    call.value = { ...next, card: next.card ?? (same ? call.value?.card : null) }
    alarm.value = alarmOf(next) || alarm.value
    if (!same) readBack(next.call).catch(tell)
  }

  /** What was said before this page was there, and who calls; without `id` whether there is a call at all. */
  async function readBack(id = ''): Promise<void> {
    const { card, words: said, news: now } = await link.ask({ type: 'call_card', call: id })
    if (!id) {
      if (!now) call.value = null // it ended while the line was broken
      else if (now.call !== over) news({ ...now, card: card ?? null })
      return
    }
    if (call.value?.call !== id) return
    call.value = { ...call.value, card: card ?? call.value.card }
    words.value = (said ?? []).reduce(heard, words.value)
  }

  function listen(sentence: CallWords): void {
    if (sentence.call === call.value?.call) words.value = heard(words.value, sentence)
  }

  /** Ask something of the call; true if it was carried out. */
  async function order(act: CallAct, to = ''): Promise<boolean> {
    if (!call.value || busy.value) return false
    busy.value = true
    try {
      await link.ask({ type: 'call', call: call.value.call, act, to })
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
    call, words, alarm, order, busy,
    talking: computed(() => call.value?.phase === 'talking'),
    party: computed(() => call.value?.parties?.find((one) => one.role === 'party') ?? null),
    suggestion: computed(() => words.value.findLast((one) => one.suggestion)?.suggestion ?? null),
    text: computed(() => words.value.filter((one) => one.side === 'citizen').map((one) => one.text).join('')),
  }
}
