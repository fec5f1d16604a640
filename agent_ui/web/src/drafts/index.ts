// What somebody has begun to write is kept on this device until it has been sent: a reload, a crash or a log-in loses nothing.
// At one desk many work in turn, so drafts of staff stand under the name of who wrote them, and are offered to nobody else.
import { customRef, type Ref } from 'vue'
import { device } from '@/device'
import { useSession } from '@/session'

const PREFIX = 'hotline.draft.'
/** Keys of the citizens' pages begin so: there nobody has a name, and the device is theirs. */
const NAMELESS = 'citizen.'
const LIFE = 14 * 24 * 3600_000
let author = ''

interface Kept {
  at: number
  value: unknown
}

/** What a draft is kept under. Who was logged out while they wrote is still the author. */
function nameOf(key: string): string {
  if (key.startsWith(NAMELESS)) return PREFIX + key
  author = useSession().staff?.name ?? author
  return `${PREFIX}${author}/${key}`
}

function read(name: string): Kept | null {
  try {
    const kept = JSON.parse(device.get(name) ?? 'null') as Kept | null
    return kept && typeof kept.at === 'number' ? kept : null
  } catch {
    return null // not ours, or cut off: as if there were none
  }
}

/** Return the draft under a key, or null. */
export function draftOf<T>(key: string): T | null {
  const kept = read(nameOf(key))
  return kept && kept.at > Date.now() - LIFE ? (kept.value as T) : null
}

/** Keep a draft; one that equals `empty` is thrown away. */
export function keepDraft(key: string, value: unknown, empty: unknown): void {
  if (JSON.stringify(value) === JSON.stringify(empty)) dropDraft(key)
  else device.set(nameOf(key), JSON.stringify({ at: Date.now(), value } satisfies Kept))
}

export function dropDraft(key: string): void {
  device.remove(nameOf(key))
}

/** Throw away drafts that nobody has touched for two weeks; done when an area starts. */
export function sweepDrafts(now = Date.now()): void {
  for (const name of device.keys()) {
    if (!name.startsWith(PREFIX)) continue
    const kept = read(name)
    if (!kept || kept.at <= now - LIFE) device.remove(name)
  }
}

/** A text that is a draft: `const text = useDraft('note.DG2026…')`; empty it when it has been sent. */
export function useDraft(key: string, empty = ''): Ref<string> {
  let value = draftOf<string>(key) ?? empty
  return customRef((track, trigger) => ({
    get() {
      track()
      return value
    },
    set(next) {
      value = next
      keepDraft(key, next, empty)
      trigger()
    },
  }))
}

/** What is left of a draft when its first words have been sent: what was written meanwhile stays. */
export function without(draft: string, sent: string): string {
  const left = draft.trimStart()
  return left.startsWith(sent) ? left.slice(sent.length).trimStart() : draft
}
