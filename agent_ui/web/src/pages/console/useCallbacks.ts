// Callbacks owed, and the one that the agent has taken: how it stands is told by the feed, its telephone by the answer to the taking.
import { computed, ref, shallowReactive, watch } from 'vue'
import type { Callback, CallResult } from '@/generated/frames'
import { tell, underWay } from '@/http/notice'
import { useLink, useTopic } from '@/link'
import { turns } from '@/shared/turns'

/** What is the default is left out by the service. */
const isOwed = (one: Callback): boolean => (one.state ?? 'owed') === 'owed'

export type CallbackDesk = ReturnType<typeof useCallbacks>

export function useCallbacks() {
  const link = useLink()
  const feed = useTopic('callbacks')
  const inTurn = turns()
  /** Telephones in full, by the id of what one has taken: everything that is told of it hides them. */
  const phones = shallowReactive(new Map<number, string>())
  /** What was taken last. */
  const last = ref(0)

  const rows = computed(() => {
    void feed.version.value
    return feed.callbacks.rows
  })
  const own = computed(() => rows.value.filter((one) => one.state === 'assigned' && one.agent === link.staff?.name))
  const mine = computed(() => own.value.find((one) => one.id === last.value) ?? own.value[0] ?? null)
  const others = computed(() => rows.value.filter(isOwed))
  watch(own, (now, before) => {
    for (const { id } of before) if (!now.some((one) => one.id === id)) phones.delete(id ?? 0)
  })

  /** Carry something out after what was asked before; null where it was not. */
  async function once<T>(name: string, work: () => Promise<T>): Promise<T | null> {
    try {
      const answer = await inTurn.take(name, work)
      if (answer === null) underWay()
      return answer
    } catch (error) {
      tell(error)
      return null
    }
  }

  async function ask(callback?: number): Promise<Callback | null> {
    const taken = (await link.ask({ type: 'take_callback', ...(callback ? { callback } : {}) })).callback ?? null
    if (taken) phones.set(taken.id ?? 0, taken.phone)
    return taken
  }

  /** Take the one that has waited longest, or that with this id; false where there is none. */
  async function take(id = 0): Promise<boolean> {
    const answer = await once(`take ${id}`, async () => ({ taken: await ask(id) }))
    if (answer?.taken) last.value = answer.taken.id ?? 0
    return answer === null || answer.taken !== null
  }

  /** Have the telephone of one's own in full again: who has it already keeps it. */
  async function reveal(): Promise<void> {
    const id = mine.value?.id ?? 0
    if (!id || phones.has(id)) return
    await inTurn.take(`take ${id}`, async () => (phones.has(id) ? null : ask(id))).catch(tell) // it may just be being taken
  }

  const dial = ({ id = 0 }: Callback): Promise<unknown> => once(`dial ${id}`, () => link.ask({ type: 'dial', callback: id }))
  const giveBack = ({ id = 0 }: Callback): Promise<unknown> => once(`give back ${id}`, () => link.ask({ type: 'give_back_callback', callback: id }))

  /** Say how it went; true if it was recorded. */
  async function record({ id = 0 }: Callback, result: CallResult, note: string): Promise<boolean> {
    return (await once(`record ${id}`, () => link.ask({ type: 'record_callback', callback: id, result, note }))) !== null
  }

  return {
    mine, others, owed: computed(() => others.value.length + own.value.length),
    phone: computed(() => (mine.value ? (phones.get(mine.value.id ?? 0) ?? mine.value.phone) : '')),
    take, reveal, dial, giveBack, record,
  }
}
