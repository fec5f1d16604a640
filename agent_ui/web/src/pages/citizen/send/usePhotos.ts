// Files under way: each with its picture, how far it has got, and what stopped it.
import { reactive } from 'vue'
import { newKey } from '../kit/keys'
import { pauseAfter } from '../kit/backoff'
import { toldOf } from '../kit/told'
import type { KeptPhoto } from './appeal'
import { keptPhoto } from './appeal'
import { isPassing, pauseUntilOnline } from './outbox'
import { MAX_BYTES, prepared, upload, type Prepared } from './photos'

export interface Underway {
  id: string
  name: string
  thumb: string
  share: number
  error: string
}

const TRIES = 5

export function usePhotos(kept: () => KeptPhoto[], most: number, tooLarge: () => string) {
  const underway = reactive<Underway[]>([])

  async function send(file: Prepared, shown: Underway): Promise<KeptPhoto> {
    for (let failed = 1; ; failed += 1) {
      try {
        const found = await upload(file.data, file.name, (share) => (shown.share = share))
        return keptPhoto(found, file.thumb, Date.now())
      } catch (error) {
        if (!isPassing(error) || failed === TRIES) throw error
        await pauseUntilOnline(pauseAfter(failed))
      }
    }
  }

  async function add(file: File): Promise<void> {
    underway.push({ id: newKey(), name: file.name, thumb: '', share: 0, error: '' })
    const shown = underway.at(-1)!
    try {
      const ready = await prepared(file)
      shown.thumb = ready.thumb
      if (ready.data.size > MAX_BYTES) {
        shown.error = tooLarge()
        return
      }
      const photo = await send(ready, shown)
      const same = kept().find(({ key }) => key === photo.key)
      if (same) same.at = photo.at // the same picture again: the service keeps it from now on
      else kept().push(photo)
      drop(shown.id)
    } catch (error) {
      shown.error = toldOf(error)
    }
  }

  const drop = (id: string): void => {
    const at = underway.findIndex((one) => one.id === id)
    if (at >= 0) underway.splice(at, 1)
  }

  /** Take files up to the most that an appeal holds; return how many were left out. */
  function take(files: File[]): number {
    const room = Math.max(0, most - kept().length - underway.filter((one) => !one.error).length)
    files.slice(0, room).forEach((file) => void add(file))
    return Math.max(0, files.length - room)
  }

  const remove = (key: string): void => {
    const at = kept().findIndex((one) => one.key === key)
    if (at >= 0) kept().splice(at, 1)
  }

  return { underway, take, drop, remove }
}
