// Element Plus's lists, by keyboard. With a filter they stay at the value of before, also where the word that was typed hides it: Enter
// chose nothing then, and took that value out of a list of several. And Escape is theirs even when they are closed.
const shown = (one: HTMLElement): boolean => one.style.display !== 'none' && !one.classList.contains('is-disabled')

function optionsOf(box: HTMLInputElement): HTMLElement[] {
  const list = document.getElementById(box.getAttribute('aria-controls') ?? '')
  return [...(list?.querySelectorAll<HTMLElement>('[role="option"]') ?? [])].filter(shown)
}

/** Chosen already in a list of several, where a second click would take it out again. */
const isIn = (one: HTMLElement): boolean =>
  one.classList.contains('is-selected') && one.closest('.el-select-dropdown')?.classList.contains('is-multiple') === true

/** Enter takes the first that the typed word leaves, unless the arrows or the mouse have chosen another. */
function takeFirst(event: KeyboardEvent, box: HTMLInputElement): void {
  const options = optionsOf(box).filter((one) => !isIn(one))
  if (options.some((one) => one.classList.contains('is-hovering'))) return
  event.preventDefault()
  event.stopPropagation()
  options[0]?.click()
}

/** Ctrl+Enter sends what is written (`keys`); a list would open, and keep it for itself. */
function pass(event: KeyboardEvent): void {
  event.preventDefault()
  event.stopPropagation()
  const { key, ctrlKey, metaKey, repeat } = event
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key, ctrlKey, metaKey, repeat, bubbles: true, cancelable: true }))
}

function listen(event: KeyboardEvent): void {
  const box = event.target
  if (event.isComposing || !(box instanceof HTMLInputElement) || box.getAttribute('role') !== 'combobox') return
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) return pass(event)
  const open = box.getAttribute('aria-expanded') === 'true'
  if (event.key === 'Enter' && open && box.value) takeFirst(event, box)
  if (event.key === 'Escape' && !open && !box.closest('[aria-modal="true"]')) box.blur() // the next key is a shortcut again
}

/** For all lists of the page, before they hear a key themselves. */
export const tameLists = (): void => window.addEventListener('keydown', listen, { capture: true })
