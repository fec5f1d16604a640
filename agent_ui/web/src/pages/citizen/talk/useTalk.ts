// The chat of this device: kept in the browser's store, so that a killed browser finds it as it was.
import { onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import { device } from '@/device'
import { newKey } from '../kit/keys'
import type { ChatAnswer } from '../kit/wire'
import { again, dropped, heard, hello, NEW, passes, said, type Talk } from './conversation'
import { ChatLink, type LineState } from './line'

const KEPT = 'hotline.talk'
const AGAIN_AFTER = 3_000

function kept(): Talk {
  try {
    const found = JSON.parse(device.get(KEPT) ?? 'null') as Talk | null
    return found && Array.isArray(found.lines) && Array.isArray(found.waiting) ? { ...NEW, ...found } : NEW
  } catch {
    return NEW // cut off or not ours
  }
}

export const hasTalk = (): boolean => kept().session !== ''

export function useTalk() {
  const talk = shallowRef<Talk>(kept())
  const line = ref<LineState>('connecting')
  let timer: ReturnType<typeof setTimeout> | undefined

  function set(next: Talk): void {
    talk.value = next
    device.set(KEPT, JSON.stringify(next))
  }

  function take(frame: ChatAnswer): void {
    const [next, frames] = heard(talk.value, frame)
    set(next)
    frames.forEach((one) => link.send(one))
    if (frame.type !== 'error' || !passes(frame)) return
    clearTimeout(timer)
    timer = setTimeout(() => again(talk.value).forEach((one) => link.send(one)), Math.max(AGAIN_AFTER, (frame.retry_after ?? 0) * 1000))
  }

  const address = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/chat`
  const link = new ChatLink({ hello: () => hello(talk.value), heard: take, state: (state) => (line.value = state) }, address)

  function say(text: string, attachments: { key: string; name: string }[] = []): void {
    const [next, frame] = said(talk.value, { id: newKey(), text, attachments })
    set(next)
    link.send(frame)
  }

  /** Forget this chat on this device, and begin a new one. */
  function end(): void {
    link.stop()
    talk.value = NEW
    device.remove(KEPT)
    link.start()
  }

  const drop = (id: string): void => set(dropped(talk.value, id))

  onMounted(() => link.start())
  onBeforeUnmount(() => {
    clearTimeout(timer)
    link.stop()
  })
  return { talk, line, say, end, drop }
}
