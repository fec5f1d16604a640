import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { tell } from '@/http/notice'

export interface Loaded<T> {
  value: ShallowRef<T | undefined>
  loading: Ref<boolean>
  /** The last load brought nothing. */
  failed: Ref<boolean>
  /** Load anew; true once it is there. */
  again: () => Promise<boolean>
}

/**
 * Something that is loaded at once and on demand; of two loads under way the later one counts. What was loaded stays where a later load fails,
 * unless that was about something else: then it would stand under filters that it does not answer.
 */
export function useLoaded<T>(load: () => Promise<T>, about: () => unknown = () => ''): Loaded<T> {
  const value = shallowRef<T>()
  const loading = ref(false)
  const failed = ref(false)
  let round = 0
  let answers = ''
  async function again(): Promise<boolean> {
    const [mine, asked] = [++round, JSON.stringify(about())]
    loading.value = true
    try {
      const found = await load()
      if (mine !== round) return false
      value.value = found
      answers = asked
      failed.value = false
      return true
    } catch (error) {
      tell(error)
      if (mine === round) nothing(asked)
      return false
    } finally {
      if (mine === round) loading.value = false
    }
  }
  function nothing(asked: string): void {
    failed.value = true
    if (asked !== answers) value.value = undefined
  }
  void again()
  return { value, loading, failed, again }
}
