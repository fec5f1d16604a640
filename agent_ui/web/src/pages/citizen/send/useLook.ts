// What the service can tell before sending: asked a moment after the last key, never in the way of sending.
import { onBeforeUnmount, ref, watch } from 'vue'
import { answerOf, api } from '@/http/client'
import { isProblem } from '@/http/problem'
import type { Look } from '../kit/wire'
import { bodyOf, type Draft } from './appeal'

const AFTER = 900
const LEAST = 6
export const NOTHING: Look = { danger: [], towns: [], category: '', reports: [] }

export function useLook(draft: Draft) {
  const look = ref<Look>(NOTHING)
  let timer: ReturnType<typeof setTimeout> | undefined
  let asked = 0

  async function ask(): Promise<void> {
    const turn = ++asked
    const { text, place } = bodyOf(draft, '')
    if (text.length < LEAST && !place?.town) {
      look.value = NOTHING
      return
    }
    try {
      const found = (await answerOf(api.POST('/api/v1/appeals/look', { body: { text, place } as never }))) as Look
      if (turn === asked) look.value = found // an answer that was overtaken counts no more
    } catch (problem) {
      if (!isProblem(problem)) throw problem
      if (turn === asked) look.value = NOTHING // a courtesy: without it one sends all the same
    }
  }

  watch(() => [draft.text, draft.town, draft.address], () => {
    clearTimeout(timer)
    timer = setTimeout(() => void ask(), AFTER)
  }, { immediate: true })
  onBeforeUnmount(() => clearTimeout(timer))
  return { look }
}
