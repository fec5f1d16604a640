// How the agent is present: chosen here or moved by the telephone, told by the feed; and the timer of wrap-up.
import { computed, ref, watch } from 'vue'
import type { NotReadyReason, Presence, PresenceState } from '@/generated/frames'
import { tell, underWay } from '@/http/notice'
import { useLink, useReturn, useTopic } from '@/link'
import { useNow } from '@/shared/now'
import { turns } from '@/shared/turns'

/** What a person may choose at a console; the rest follows the telephone (agent_ui/presence.py). */
export const REASONS: readonly NotReadyReason[] = ['break', 'meal', 'meeting', 'training', 'paperwork', 'outbound']

export function usePresence() {
  const link = useLink()
  const now = useNow()
  const feed = useTopic('presence')
  const chosen = ref<Presence | null>(null)

  const mine = computed<Presence | null>(() => {
    void feed.version.value
    const told = feed.presence.rows.find((one) => one.staff === link.staff?.name) ?? null
    // The answer to one's own choice may come before the event, or after it.
    return chosen.value && (!told || chosen.value.since > told.since) ? chosen.value : told
  })
  const lasts = computed(() => (mine.value ? now.value - Date.parse(mine.value.since) : 0))

  const inTurn = turns()
  /** What was asked last, until it is answered. */
  const wanted = ref<PresenceState | null>(null)

  async function choose(state: PresenceState, reason?: NotReadyReason): Promise<void> {
    wanted.value = state
    try {
      const ask = () => link.ask({ type: 'presence', state, ...(reason ? { reason } : {}) })
      const answer = await inTurn.take(`${state} ${reason ?? ''}`, ask)
      if (answer) chosen.value = answer.presence ?? null
      else underWay()
    } catch (error) {
      tell(error)
    } finally {
      if (!inTurn.busy.value) wanted.value = null
    }
  }

  /** Available; who is available already, or about to be, not ready for paperwork. */
  const toggle = (): Promise<void> =>
    ((wanted.value ?? mine.value?.state) === 'available' ? choose('not_ready', 'paperwork') : choose('available'))

  // Whoever comes to their desk is there, but takes no calls before they say so.
  const stop = watch([() => feed.loading.value, () => link.state], ([loading, state]) => {
    if (loading || state !== 'online') return
    if (!mine.value) void choose('not_ready', 'paperwork')
    stop()
  })
  // After a break longer than the lease the gateway has freed us: come back as we were.
  let before: Presence | null = null
  watch(mine, (next, last) => {
    if (last && last.state !== 'offline') before = last
    if (!next && before && link.state === 'online' && !feed.loading.value) void choose('not_ready', 'paperwork')
  })
  useReturn(() => {
    if (!mine.value) void choose('not_ready', 'paperwork')
  })

  return { mine, lasts, choose, toggle }
}
