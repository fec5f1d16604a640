// The board as it is pushed, twice a second; clear about it when the line is broken.
import { onScopeDispose, ref, shallowRef } from 'vue'
import { useRouter } from 'vue-router'
import { isProblem } from '@/http/problem'
import { tell } from '@/http/notice'
import { useSession } from '@/session'
import type { Board } from './numbers'

const AGAIN = 3000
const STALE = 5000

export function useBoard() {
  const board = shallowRef<Board | null>(null)
  const live = ref(false)
  const session = useSession()
  const router = useRouter()
  let heard = 0
  let source: EventSource | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let over = false

  function open(): void {
    source = new EventSource('/api/v1/board/stream')
    source.addEventListener('board', (event: MessageEvent<string>) => {
      board.value = JSON.parse(event.data) as Board
      live.value = true
      heard = Date.now()
    })
    source.addEventListener('unavailable', () => (live.value = false))
    source.addEventListener('over', () => void leave())
    source.addEventListener('error', () => {
      live.value = false
      if (source?.readyState === EventSource.CLOSED) again() // refused: the browser itself tries no more
    })
  }
  function again(): void {
    source?.close()
    clearTimeout(timer)
    timer = setTimeout(() => void look(), AGAIN)
  }
  async function look(): Promise<void> {
    if (over) return
    session.forget()
    try {
      if (!(await session.whoIsIt())) return await leave()
    } catch (error) {
      if (!isProblem(error)) tell(error)
    }
    if (over) return // the board was left while it was asked
    open()
  }
  async function leave(): Promise<void> {
    close()
    session.forget()
    await router.push({ path: '/login', query: { to: router.currentRoute.value.fullPath } })
  }
  function close(): void {
    over = true
    source?.close()
    clearTimeout(timer)
    clearInterval(watch)
  }
  const watch = setInterval(() => {
    if (heard && Date.now() - heard > STALE) live.value = false
  }, 1000)
  open()
  onScopeDispose(close)
  return { board, live }
}
