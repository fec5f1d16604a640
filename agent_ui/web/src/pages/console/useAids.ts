// What helps to judge the open ticket, asked as it is opened and again where it matters: words, departments, likeness, knowledge.
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { CityTerms, Evidence, Hit, Kind, Proposal, SimilarTicket } from '@/generated/frames'
import { tell } from '@/http/notice'
import { Again, useLink, useReturn } from '@/link'
import type { TicketDesk } from './useTicket'

type Subject = [number: string, l1: string | undefined, l2: string | undefined, kind: Kind, towns: string[], confidence: number]
export type Aids = ReturnType<typeof useAids>

export function useAids(desk: TicketDesk) {
  const link = useLink()
  const terms = shallowRef<CityTerms | null>(null)
  const words = shallowRef<readonly Evidence[]>([])
  const proposal = shallowRef<Proposal | null>(null)
  const similar = shallowRef<readonly SimilarTicket[]>([])
  const hits = shallowRef<readonly Hit[]>([])
  const asking = ref(false)

  const ticket = computed(() => desk.opened.value?.ticket ?? null)
  const category = computed(() => ticket.value?.category ?? ticket.value?.triage.category ?? null)
  const towns = computed(() => {
    const known = terms.value?.units ?? []
    const named = ticket.value?.town ? [ticket.value.town] : (ticket.value?.triage.towns ?? [])
    return named.filter((town) => known.includes(town))
  })
  const evidence = computed(() => [...(ticket.value?.triage.evidence ?? []), ...words.value])

  /** What the answers depend on: only when it changes is anything asked anew. */
  const subject = computed(() => {
    const one = category.value
    return ticket.value ? JSON.stringify([ticket.value.number, one?.l1, one?.l2, ticket.value.kind ?? 'other', towns.value, one?.confidence ?? 1]) : ''
  })

  async function ask(): Promise<void> {
    const about = subject.value
    const [number, l1, l2, kind, places, confidence] = JSON.parse(about) as Subject
    const found = l1 && l2
      ? await Promise.all([
          link.ask({ type: 'propose', l1, l2, kind, towns: places, confidence }),
          link.ask({ type: 'explain', number, l1, l2 }),
        ])
      : null
    if (about !== subject.value) return
    proposal.value = found?.[0].proposal ?? null
    words.value = found?.[1].evidence ?? []
  }

  async function around(number: string): Promise<void> {
    similar.value = []
    hits.value = []
    const text = ticket.value?.appeal.text.slice(0, 4000) ?? ''
    const [like, known] = await Promise.all([
      link.ask({ type: 'similar', number }),
      text ? link.ask({ type: 'consult', text, l1: category.value?.l1 ?? '', l2: category.value?.l2 ?? '' }) : null,
    ])
    if (number !== ticket.value?.number) return
    similar.value = like.similar ?? []
    hits.value = known?.hits ?? []
  }

  async function start(): Promise<void> {
    terms.value = (await link.ask({ type: 'terms' })).terms ?? null
  }

  function nothing(): void {
    proposal.value = null
    words.value = []
  }
  const numberOf = (about: string): string => (JSON.parse(about) as Subject)[0]

  watch(subject, (about, before) => {
    if (!about) return nothing()
    if (!before || numberOf(before) !== numberOf(about)) nothing() // what was proposed for another ticket is not this one's
    asking.value = true
    ask().catch((error: unknown) => {
      if (about === subject.value) nothing()
      tell(error)
    }).finally(() => (asking.value &&= about !== subject.value))
  })
  watch(() => ticket.value?.number, (number) => number && around(number).catch(tell))
  const loads = new Again(start, tell)
  loads.start()
  useReturn(() => loads.hurry())
  onScopeDispose(() => loads.stop())

  return { terms, proposal, similar, hits, evidence, words, category, towns, asking, again: () => ticket.value && around(ticket.value.number).catch(tell) }
}
