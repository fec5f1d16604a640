/** How a clock looks: by the light that the service shows where there is one (GB/T 33358), else by what is left. */
export type Tone = 'red' | 'yellow' | 'calm' | 'none'

const SOON = 2 * 3600_000

export function toneOf(due: string | null | undefined, now: number, lights: readonly string[] = []): Tone {
  if (!due) return 'none'
  const left = Date.parse(due) - now
  if (left <= 0) return 'red'
  return left <= SOON || lights.some((light) => light.endsWith('_yellow')) ? 'yellow' : 'calm'
}
