import { ref } from 'vue'
import type { Position } from './appeal'

export type Asking = '' | 'asking' | 'refused' | 'failed'

const DIGITS = 5 // about a metre: more would only look exact

const rounded = (value: number): number => Number(value.toFixed(DIGITS))

/** Ask the device where it is; the browser asks its owner first. */
export function usePosition(found: (position: Position) => void) {
  const asking = ref<Asking>(navigator.geolocation ? '' : 'failed')

  function ask(): void {
    asking.value = 'asking'
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        asking.value = ''
        found({ lat: rounded(coords.latitude), lon: rounded(coords.longitude), accuracy: Math.round(coords.accuracy) })
      },
      (error) => (asking.value = error.code === error.PERMISSION_DENIED ? 'refused' : 'failed'),
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 60_000 },
    )
  }

  return { asking, ask }
}
