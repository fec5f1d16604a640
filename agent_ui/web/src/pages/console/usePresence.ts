// How the agent is present: chosen here or moved by the telephone, told by events; put back after a broken line; and the timer of wrap-up.
import { computed, ref, shallowRef, watch } from 'vue'
import type { Event, Presence, PresenceState } from '@/generated/frames'
import { tell, underWay, wait } from '@/http/notice'
import { useEvents, useLink, useReturn, useTopic } from '@/link'
import { useNow } from '@/shared/now'
import { turns } from '@/shared/turns'
import { AT_DESK, backAs, later, signedOutBy, type Choice } from './presence'

export function usePresence(words: { putBack: (as: Presence) => string; signedOut: () => string }) {
  const link = useLink()
  const now = useNow()
  const feed = useTopic('presence')
  /** The last word on oneself, that one is offline too: of an answer, an event, or a snapshot. */
  const mine = shallowRef<Presence | null>(null)
  const lasts = computed(() => (mine.value ? now.value - Date.parse(mine.value.since) : 0))

  const inTurn = turns()
  /** What was asked last, until it is answered. */
  const wanted = ref<PresenceState | null>(null)

  /** Be present in this way; true if it is so. */
  async function choose({ state, reason }: Choice): Promise<boolean> {
    wanted.value = state
    try {
      const ask = () => link.ask({ type: 'presence', state, ...(reason ? { reason } : {}) })
      const answer = await inTurn.take(`${state} ${reason ?? ''}`, ask)
      if (answer?.presence) mine.value = later(mine.value, answer.presence)
      if (!answer) underWay()
      return answer !== null
    } catch (error) {
      tell(error)
      return false
    } finally {
      if (!inTurn.busy.value) wanted.value = null
    }
  }

  /** Available; who is available already, or about to be, not ready for paperwork. */
  const toggle = (): Promise<boolean> =>
    choose((wanted.value ?? mine.value?.state) === 'available' ? AT_DESK : { state: 'available' })

  async function putBack(as: Choice): Promise<void> {
    if (await choose(as)) wait(words.putBack(mine.value!))
  }

  function hear(event: Event): void {
    const next = event.type === 'presence' ? (event.data as Presence | undefined) : undefined
    if (!next || next.staff !== link.staff?.name) return
    const was = mine.value
    mine.value = later(was, next)
    if (mine.value !== next) return
    const by = signedOutBy(was, next, event.actor)
    if (by === 'others') wait(words.signedOut())
    // What else was missed comes with it: whoever is back already, at another desk of theirs, is not put back.
    if (by === 'line') queueMicrotask(() => mine.value === next && void putBack(backAs(was!)))
  }

  /** Whoever comes to their desk is there, but takes no calls before they say so. */
  function arrive(): void {
    if (!mine.value && !feed.loading.value) void choose(AT_DESK)
  }

  let before: Presence | null = null
  watch(feed.loading, (loading) => {
    if (loading) return void (before = mine.value)
    const row = feed.presence.rows.find((one) => one.staff === link.staff?.name)
    if (row) mine.value = later(mine.value, row)
    else if (!mine.value) arrive()
    else if (mine.value === before && mine.value.state !== 'offline') {
      mine.value = null // signed out in what was missed; by whom is not known, so they take no calls before they say so
      void putBack(AT_DESK)
    }
  }, { immediate: true })
  useEvents(hear)
  useReturn(arrive)

  return { mine, lasts, choose, toggle }
}
