// One thing after another: who presses the next key before the answer to the last has come is served in turn, not ignored.
import { ref, type Ref } from 'vue'

export interface Turns {
  /** Whether anything runs or waits. */
  readonly busy: Ref<boolean>
  /** Run `work` when all that was asked before has ended, and return what it returns; null where the same `name` runs or waits already. */
  take<T>(name: string, work: () => Promise<T>): Promise<T | null>
}

export function turns(): Turns {
  const names = new Set<string>()
  const busy = ref(false)
  let last: Promise<unknown> = Promise.resolve()

  function gone(name: string): void {
    names.delete(name)
    busy.value = names.size > 0
  }

  async function take<T>(name: string, work: () => Promise<T>): Promise<T | null> {
    if (names.has(name)) return null
    names.add(name)
    busy.value = true
    const mine = last.then(work).finally(() => gone(name))
    last = mine.catch(() => undefined) // told to who asked; the next is not kept from its turn
    return mine
  }
  return { busy, take }
}
