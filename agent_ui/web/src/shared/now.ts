import { onScopeDispose, ref, type Ref } from 'vue'
import { useLink } from '@/link'

const now = ref(Date.now())
let users = 0
let timer: ReturnType<typeof setInterval> | undefined

/** The service's present moment, moving once a second; one timer however many look. */
export function useNow(): Ref<number> {
  const link = useLink()
  const move = (): void => {
    now.value = link.serverNow()
  }
  users += 1
  move()
  timer ??= setInterval(move, 1000)
  onScopeDispose(() => {
    users -= 1
    if (users > 0) return
    clearInterval(timer)
    timer = undefined
  })
  return now
}
