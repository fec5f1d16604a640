import { onScopeDispose, watch } from 'vue'

/** Put a number before the page's title while something waits for its reader: it is seen from another tab. */
export function useTitleCount(count: () => number): void {
  const plain = document.title
  watch(count, (now) => (document.title = now > 0 ? `(${now}) ${plain}` : plain), { immediate: true })
  onScopeDispose(() => (document.title = plain))
}
