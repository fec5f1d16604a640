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
  /** Also while a dialog is open. What may be done while typing may be done there too. */
  overDialog?: boolean
  /** Again and again while the key is held down; without, holding it is pressing it once. */
  repeats?: boolean
  /** Only where this says so. */
  when?: () => boolean
}

const shortcuts = shallowReactive(new Set<Shortcut>())

/** Those that work now, for the help. */
export const allShortcuts = (): Shortcut[] => [...shortcuts]

/** Write a key event down as people do. */
export function written(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'altKey' | 'metaKey' | 'shiftKey'>): string {
  const letter = event.key.length === 1 && event.key.toLowerCase() !== event.key.toUpperCase()
  const key = !letter ? event.key : event.shiftKey ? event.key.toUpperCase() : event.key.toLowerCase() // Caps Lock changes nothing
  const parts = [event.ctrlKey || event.metaKey ? 'Ctrl' : '', event.altKey ? 'Alt' : '']
  // Shift is part of a sign (`?`), and told where it changes a letter or a named key.
  if (event.shiftKey && (key.length > 1 || key.toLowerCase() !== key.toUpperCase())) parts.push('Shift')
  return [...parts.filter(Boolean), key === ' ' ? 'Space' : key].join('+')
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select, [role="combobox"]'))

/** A dialog that is closed stays in the page, unseen; one that is just fading away is closed for who has pressed Escape. */
const inDialog = (): boolean => [...document.querySelectorAll('[aria-modal="true"]')].some(
  (one) => one.getClientRects().length > 0 && !one.closest('.dialog-fade-leave-active'),
)

const allowed = ({ typing, overDialog }: Shortcut, written: boolean, dialog: boolean): boolean =>
  typing === true || (!written && (!dialog || overDialog === true))

function listen(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return // an input method is at work: the key is its own
  const keys = written(event)
  const typing = isTyping(event.target)
  const dialog = inDialog()
  for (const shortcut of [...shortcuts].reverse()) {
    if (shortcut.keys !== keys || !allowed(shortcut, typing, dialog) || shortcut.when?.() === false) continue
    event.preventDefault()
    if (!event.repeat || shortcut.repeats) shortcut.run(event)
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
