// The lists of a unit's desk and the ticket that is open on it.
import { computed, ref, shallowRef, watch } from 'vue'
import type { Command, Opened, Ticket } from '@/generated/frames'
import { tell, underWay } from '@/http/notice'
import { isProblem } from '@/http/problem'
import { useEvents, useLink, useReturn, useTopic } from '@/link'
import { useNow } from '@/shared/now'
import { countsOf, rowsOf, type Tab } from './tabs'

const BEAT = 15_000

export function useLists(unit: string) {
  const feed = useTopic(`department:${unit}`)
  const now = useNow()
  const beat = computed(() => Math.floor(now.value / BEAT) * BEAT)
  const tab = ref<Tab>('sign')
  const words = ref('')
  const all = computed(() => {
    void feed.version.value
    return [...feed.tickets.rows()]
  })
  const counts = computed(() => countsOf(all.value, unit, beat.value))
  const rows = computed(() => rowsOf(all.value, { tab: tab.value, unit, now: beat.value, words: words.value }))
  return { tab, words, counts, rows, now, loading: feed.loading }
}

/** Somebody has learnt since a version who the citizen is: what was shown in full is old. */
const corrected = (found: Opened, since: number): boolean =>
  found.events.some((event) => event.version > since && event.fact.type === 'correct' && Boolean(event.fact.citizen))

export function useOpened() {
  const link = useLink()
  const number = ref<string | null>(null)
  const opened = shallowRef<Opened | null>(null)
  /** The ticket as it was when its citizen was shown in full. */
  const revealed = shallowRef<Ticket | null>(null)
  const busy = ref(false)
  let asked = 0

  async function load(): Promise<void> {
    const [wanted, round] = [number.value, (asked += 1)]
    if (!wanted) return
    const found = await link.open(wanted)
    if (round !== asked || number.value !== wanted) return
    opened.value = found
    if (revealed.value && corrected(found, revealed.value.version)) revealed.value = null
  }
  const refresh = (): void => {
    load().catch(tell)
  }
  watch(number, () => {
    opened.value = revealed.value = null
    refresh()
  })
  /** Open a ticket; one that could not be opened is tried again. */
  function choose(next: string): void {
    if (next === number.value && !opened.value) refresh()
    number.value = next
  }
  useEvents((event) => {
    if (event.number === number.value) refresh()
  })
  useReturn(refresh)

  /** Show the citizen in full; why is recorded with the ticket. It is masked again when another ticket is opened. */
  async function unmask(reason: string): Promise<void> {
    const asked = number.value
    if (!asked) return
    const full = await link.open(asked, { reason })
    if (asked !== number.value) return // another ticket was opened meanwhile: this citizen is none of its business
    if (!full.masked) revealed.value = full.ticket
    refresh()
  }

  /** Carry a command out; false where it was refused, and the person was told why. */
  async function act(command: Command): Promise<boolean> {
    const ticket = opened.value?.ticket
    if (busy.value) underWay()
    if (!ticket || busy.value) return false
    busy.value = true
    try {
      await link.act(ticket.number, command, ticket.version)
      return true
    } catch (error) {
      if (isProblem(error, 'version_conflict')) await load().catch(tell) // what changed is shown before the refusal is
      tell(error)
      return false
    } finally {
      busy.value = false
      refresh()
    }
  }

  const ticket = computed(() => {
    const [found, full] = [opened.value?.ticket, revealed.value]
    if (!found || !full) return found
    if (found.version <= full.version) return { ...found, appeal: full.appeal }
    return { ...found, appeal: { ...found.appeal, citizen: full.appeal.citizen } } // all else is as it stands now
  })
  return { number, opened, ticket, choose, masked: computed(() => !revealed.value), busy, act, unmask }
}
