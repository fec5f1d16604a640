import { onScopeDispose, shallowReactive } from 'vue'

export interface Shortcut {
  /** As people write it: `j`, `?`, `Enter`, `Ctrl+Enter`, `Shift+J`, `Alt+1`. */
  keys: string
  /** What it does, in words, for the help. */
  word: () => string
  run: (event: KeyboardEvent) => void
  /** Group in the help, in words. */
  group?: () => string
  /** Also while a text is being typed (only with Ctrl, Alt, Escape or F keys). */
  typing?: boolean
  /** Only where this says so. */
  when?: () => boolean
}

const shortcuts = shallowReactive(new Set<Shortcut>())

/** Those that work now, for the help. */
export const allShortcuts = (): Shortcut[] => [...shortcuts]

/** Write a key event down as people do. */
export function written(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey' | 'shiftKey'>): string {
  const key = event.key.length === 1 && event.shiftKey && event.key.toLowerCase() !== event.key.toUpperCase() ? event.key.toUpperCase() : event.key
  const parts = [event.ctrlKey || event.metaKey ? 'Ctrl' : '', event.altKey ? 'Alt' : '']
  // Shift is part of a sign (`?`), and told where it changes a letter or a named key.
  if (event.shiftKey && (key.length > 1 || key.toLowerCase() !== key.toUpperCase())) parts.push('Shift')
  return [...parts.filter(Boolean), key === ' ' ? 'Space' : key].join('+')
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select, [role="combobox"]'))

function listen(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return // an input method is at work: the key is its own
  const keys = written(event)
  const typing = isTyping(event.target)
  for (const shortcut of [...shortcuts].reverse()) {
    if (shortcut.keys !== keys || (typing && !shortcut.typing) || shortcut.when?.() === false) continue
    event.preventDefault()
    shortcut.run(event)
    return
  }
}

/** Have shortcuts while the component lives; of two with the same keys the one that came last wins. */
export function useKeys(wanted: readonly Shortcut[]): void {
  if (shortcuts.size === 0) window.addEventListener('keydown', listen)
  wanted.forEach((shortcut) => shortcuts.add(shortcut))
  onScopeDispose(() => {
    wanted.forEach((shortcut) => shortcuts.delete(shortcut))
    if (shortcuts.size === 0) window.removeEventListener('keydown', listen)
  })
}

/** Leave a field after its choice was made, so that the next key is a shortcut again. Lists take the focus back at first. */
export function letGo(): void {
  setTimeout(() => document.activeElement instanceof HTMLElement && document.activeElement.blur(), 0)
}
