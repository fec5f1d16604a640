// Large type: remembered on the device, set before the page is drawn.
import { ref } from 'vue'
import { device } from '@/device'

const KEPT = 'hotline.large'
const large = ref(device.get(KEPT) === 'yes')

export function useLarge() {
  function toggle(): void {
    large.value = !large.value
    device.set(KEPT, large.value ? 'yes' : 'no')
  }
  return { large, toggle }
}
