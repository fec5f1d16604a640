// Photos beside a few words – a supplement, a chat message – are a draft like the words.
import { ref, watch, type Ref } from 'vue'
import { draftOf, keepDraft } from '@/drafts'
import type { KeptPhoto } from './appeal'

export function usePhotoDraft(name: string): { photos: Ref<KeptPhoto[]>; sent: (keys: readonly string[]) => void } {
  const photos = ref<KeptPhoto[]>(draftOf<KeptPhoto[]>(name) ?? [])
  const keep = (): void => keepDraft(name, photos.value, [])
  watch(photos, keep, { deep: true })

  /** Take out what was sent; those that were added meanwhile stay. */
  function sent(keys: readonly string[]): void {
    photos.value = photos.value.filter(({ key }) => !keys.includes(key))
    keep() // at once: the page may have gone while it was sent, and watches no more
  }
  return { photos, sent }
}
