// Files that belong to a draft: uploaded at once, and claimed by what is sent. Drafts outlive them.
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** How long a file of a draft can be sent. The service keeps what nothing claims for a day (hotline/store/uploads.py); an hour is left for sending. */
export const KEPT_HOURS = 23
const LOOK_EVERY = 60_000

export interface Uploaded {
  /** When it was uploaded, by this device's clock. */
  at?: number
}

/** What of the files the service still has. */
export const stillKept = <F extends Uploaded>(files: readonly F[], now: number): F[] =>
  files.filter(({ at }) => at !== undefined && now - at < KEPT_HOURS * 3600_000)

/** Drop files as they expire, those of a restored draft at once; tells how many were dropped, until it is set to 0. */
export function useExpiry<F extends Uploaded>(files: Ref<F[]>): Ref<number> {
  const dropped = ref(0)
  function look(): void {
    const left = stillKept(files.value, Date.now())
    dropped.value += files.value.length - left.length
    if (left.length < files.value.length) files.value = left
  }
  onMounted(look)
  const timer = setInterval(look, LOOK_EVERY)
  onBeforeUnmount(() => clearInterval(timer))
  return dropped
}
