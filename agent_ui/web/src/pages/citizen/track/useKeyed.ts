// A message that is sent again under its key until it is answered; other words are another message. Kept on the device.
import { draftOf, dropDraft, keepDraft } from '@/drafts'
import { newKey } from '../kit/keys'

interface Tried {
  key: string
  content: string
}

/** The key for this content: the one it was tried with before, else a new one. */
export function keyFor(name: string, content: string): string {
  const tried = draftOf<Tried>(name)
  if (tried?.content === content) return tried.key
  const key = newKey()
  keepDraft(name, { key, content } satisfies Tried, null)
  return key
}

export const settled = (name: string): void => dropDraft(name)
