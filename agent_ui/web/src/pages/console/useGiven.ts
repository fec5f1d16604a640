// The chats given to the agent that they have not looked at; what was looked at is remembered by this tab over a reload, for each person:
// at one desk many work in turn, and what was given on to the next has been looked at by the one before.
import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { tab } from '@/device'
import type { Summary } from '@/generated/frames'
import { useEvents } from '@/link'
import { givenOf, seenAfter, withSeen } from './given'

const KEY = 'hotline.chats.seen.'

function kept(me: string): ReadonlySet<string> {
  try {
    return new Set(JSON.parse(tab.get(KEY + me) ?? '[]') as string[])
  } catch {
    return new Set() // not ours, or cut off: as if there were none
  }
}

/** `open` is the ticket before the agent, `mine` their tickets. */
export function useGiven(me: string, open: Ref<string>, mine: () => readonly Summary[]): ComputedRef<Summary[]> {
  const seen = shallowRef(kept(me))
  watch(seen, (now) => tab.set(KEY + me, JSON.stringify([...now])), { flush: 'sync' })
  watch(open, (number) => number && (seen.value = withSeen(seen.value, number)), { immediate: true, flush: 'sync' })
  useEvents((event) => (seen.value = seenAfter(seen.value, event, me, open.value)))
  return computed(() => givenOf(mine(), seen.value))
}
