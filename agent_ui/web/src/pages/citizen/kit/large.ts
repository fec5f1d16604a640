// Large type: remembered on the device, set before the page is drawn.
import { ref } from 'vue'

const KEPT = 'hotline.large'
const large = ref(localStorage.getItem(KEPT) === 'yes')

export function useLarge() {
  function toggle(): void {
    large.value = !large.value
    localStorage.setItem(KEPT, large.value ? 'yes' : 'no')
  }
  return { large, toggle }
}
