// What stands behind a number: pages of tickets or calls, and what they add up to.
import { inject, provide, ref, shallowRef, type InjectionKey } from 'vue'
import type { Summary } from '@/generated/frames'
import type { operations } from '@/generated/http'
import { answerOf, api } from '@/http/client'
import { tell } from '@/http/notice'
import type { Drill } from './numbers'

type Call = operations['get_api_v1_figures_calls']['responses'][200]['content']['application/json']['calls'][number]
export interface Behind {
  row: Summary
  times: number
}
type Query<Name extends keyof operations> = operations[Name]['parameters']['query']

export function makeDrill() {
  const asked = shallowRef<Drill | null>(null)
  const tickets = shallowRef<Behind[]>([])
  const calls = shallowRef<Call[]>([])
  const listed = ref(0)
  const total = ref(0)
  const next = ref('')
  const loading = ref(false)
  let round = 0

  function open(drill: Drill): void {
    asked.value = drill
    tickets.value = []
    calls.value = []
    listed.value = 0
    total.value = drill.value
    next.value = ''
    more().catch(tell)
  }

  async function more(): Promise<void> {
    const drill = asked.value
    if (!drill) return
    const mine = (round += 1)
    loading.value = true
    try {
      const page = await take(drill)
      if (mine === round) page()
    } finally {
      if (mine === round) loading.value = false
    }
  }

  /** Ask for the next page; return what takes it in, if it is still wanted. */
  async function take(drill: Drill): Promise<() => void> {
    const query = { ...drill.query, ...(next.value ? { cursor: next.value } : {}), limit: '50' }
    if (drill.of === 'calls') {
      const page = await answerOf(api.GET('/api/v1/figures/calls', { params: { query: query as Query<'get_api_v1_figures_calls'> } }))
      return () => {
        calls.value = [...calls.value, ...page.calls]
        listed.value = calls.value.length
        next.value = page.next ?? ''
      }
    }
    if (drill.of === 'standing') {
      const page = await answerOf(api.GET('/api/v1/figures/standing', { params: { query: query as Query<'get_api_v1_figures_standing'> } }))
      return () => {
        tickets.value = [...tickets.value, ...page.rows.map((row) => ({ row: row as Summary, times: 1 }))]
        listed.value = tickets.value.length
        next.value = page.next ?? ''
      }
    }
    const page = await answerOf(api.GET('/api/v1/figures/tickets', { params: { query: query as Query<'get_api_v1_figures_tickets'> } }))
    return () => {
      tickets.value = [...tickets.value, ...page.tickets.map((one) => ({ row: one.row as Summary, times: one.times }))]
      listed.value = page.listed
      total.value = page.total
      next.value = page.next ?? ''
    }
  }

  const close = (): void => {
    asked.value = null
  }
  return { asked, tickets, calls, listed, total, next, loading, open, more, close }
}

export type Drilling = ReturnType<typeof makeDrill>
const KEY: InjectionKey<Drilling> = Symbol('drill')

export function provideDrill(): Drilling {
  const made = makeDrill()
  provide(KEY, made)
  return made
}

export function useDrill(): Drilling {
  const found = inject(KEY)
  if (!found) throw new Error('no drill is provided')
  return found
}
