import { ref, type Ref } from 'vue'
import { done, tell } from '@/http/notice'

export interface Doing {
  busy: Ref<boolean>
  /** Do something and say that it is done (`words`); true if it was. What went wrong is told. */
  run: (work: () => Promise<unknown>, words?: string) => Promise<boolean>
}

/** What somebody does by a button: busy meanwhile, told how it went – errors in a message of the page, or by `failed`. */
export function useDoing(failed: (error: unknown) => void = tell): Doing {
  const busy = ref(false)
  async function run(work: () => Promise<unknown>, words = ''): Promise<boolean> {
    busy.value = true
    try {
      await work()
      if (words) done(words)
      return true
    } catch (error) {
      failed(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, run }
}
