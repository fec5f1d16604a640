// The form's state: a draft that outlives the browser, and the one parcel that is under way.
import { onBeforeUnmount, reactive, ref, watch } from 'vue'
import { draftOf, dropDraft, keepDraft } from '@/drafts'
import { isProblem } from '@/http/problem'
import { WORDLESS } from '../kit/danger'
import { toldOf } from '../kit/told'
import { bodyOf, EMPTY, mistakes, type Draft } from './appeal'
import { deliver, packed, pauseUntilOnline, waitingParcel, type Answer, type Parcel } from './outbox'

const KEY = 'citizen.appeal'

export interface Sent {
  answer: Answer
  words: string
}

export function useSend(sent: (sent: Sent) => void) {
  const draft = reactive<Draft>({ ...EMPTY, ...draftOf<Draft>(KEY) })
  const restored = ref(draftOf<Draft>(KEY) !== null)
  const shown = ref<ReturnType<typeof mistakes>>({})
  const sending = ref(false)
  const held = ref(0)
  const error = ref('')
  let gone = false

  watch(draft, () => keepDraft(KEY, { ...draft }, EMPTY), { deep: true })
  onBeforeUnmount(() => (gone = true))

  function clear(): void {
    Object.assign(draft, EMPTY, { photos: [] })
    dropDraft(KEY)
    restored.value = false
    shown.value = {}
    error.value = ''
  }

  async function under(parcel: Parcel): Promise<void> {
    sending.value = true
    error.value = ''
    try {
      const answer = await deliver(parcel, {
        pause: pauseUntilOnline, waiting: (_, failed) => (held.value = failed), stopped: () => gone,
      })
      if (!answer) return
      clear()
      sent({ answer, words: parcel.body.text.slice(0, 40) })
    } catch (problem) {
      error.value = toldOf(problem) // the draft is still there to be mended
      if (isProblem(problem) && problem.field === 'phone') shown.value = { phone: 'phone' }
    } finally {
      sending.value = false
      held.value = 0
    }
  }

  /** Send the draft, or join a report with it; false where something is missing. */
  function send(joins = ''): boolean {
    shown.value = joins ? { ...mistakes({ ...draft, text: 'x' }) } : mistakes(draft)
    if (Object.keys(shown.value).length > 0 || sending.value) return false
    const body = bodyOf(draft, joins ? '' : WORDLESS)
    void under(packed(body, joins))
    return true
  }

  /** What a killed browser left under way is sent first. */
  function resume(): void {
    const parcel = waitingParcel()
    if (parcel) void under(parcel)
  }

  return { draft, restored, shown, sending, held, error, send, resume, clear }
}
