import { nextTick } from 'vue'

/** Focus something in a dialog that opens (its `open-auto-focus`), once the dialog has taken the focus for itself. */
export async function afterOpening(focus: () => void): Promise<void> {
  await nextTick()
  await nextTick()
  focus()
}
