// The agent's telephone as events tell it: the call of now, its card, what is heard; and what is asked of it.
import { computed, ref, shallowRef } from 'vue'
import type { CallAct, CallNews, CallWords, Event } from '@/generated/frames'
import { tell } from '@/http/notice'
import { useEvents, useLink } from '@/link'
import { alarmOf, heard } from './calls'

export type CallDesk = ReturnType<typeof useCalls>

export function useCalls() {
  const link = useLink()
  const call = shallowRef<CallNews | null>(null)
  const words = shallowRef<readonly CallWords[]>([])
  const alarm = ref('')

  function hear(event: Event): void {
    if (!event.data) return
    if (event.type === 'call') news(event.data as CallNews)
    else if (event.type === 'transcript') listen(event.data as CallWords)
  }

  function news(next: CallNews): void {
    if (next.agent !== link.staff?.name) return // an alarm of another agent's call: the topic `alarms` shows it
    if (next.phase === 'over') {
      if (call.value?.call === next.call) call.value = null
      return
    }
    if (call.value?.call !== next.call) {
      words.value = []
      alarm.value = ''
      void readBack(next.call)
    }
    call.value = { ...next, card: next.card ?? (call.value?.call === next.call ? call.value.card : null) }
    alarm.value = alarmOf(next) || alarm.value
  }

  /** What was said before this page was there. */
  async function readBack(id: string): Promise<void> {
    try {
      const { card, words: said } = await link.ask({ type: 'call_card', call: id })
      if (call.value?.call !== id) return
      call.value = { ...call.value, card: card ?? call.value.card }
      words.value = (said ?? []).reduce(heard, words.value)
    } catch (error) {
      tell(error)
    }
  }

  function listen(sentence: CallWords): void {
    if (sentence.call === call.value?.call) words.value = heard(words.value, sentence)
  }

  async function order(act: CallAct, to = ''): Promise<void> {
    if (call.value) await link.ask({ type: 'call', call: call.value.call, act, to }).catch(tell)
  }
  useEvents(hear)

  return {
    call, words, alarm, order,
    suggestion: computed(() => words.value.findLast((one) => one.suggestion)?.suggestion ?? null),
    text: computed(() => words.value.filter((one) => one.side === 'citizen').map((one) => one.text).join('')),
  }
}
