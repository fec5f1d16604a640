import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { tell } from '@/http/notice'

export interface Loaded<T> {
  value: ShallowRef<T | undefined>
  loading: Ref<boolean>
  /** Load anew; true once it is there. */
  again: () => Promise<boolean>
}

/** Something that is loaded at once and on demand; of two loads under way the later one counts. */
export function useLoaded<T>(load: () => Promise<T>): Loaded<T> {
  const value = shallowRef<T>()
  const loading = ref(false)
  let round = 0
  async function again(): Promise<boolean> {
    const mine = ++round
    loading.value = true
    try {
      const found = await load()
      if (mine === round) value.value = found
      return mine === round
    } catch (error) {
      tell(error)
      return false
    } finally {
      if (mine === round) loading.value = false
    }
  }
  void again()
  return { value, loading, again }
}
