/** Return a function that asks for `work` to be done soon: at once, and then at most every `every` milliseconds. */
export function pulse(work: () => void, every = 250): () => void {
  let last = -Infinity
  let timer: ReturnType<typeof setTimeout> | null = null
  const run = (): void => {
    timer = null
    last = performance.now()
    work()
  }
  return () => {
    if (timer !== null) return
    timer = setTimeout(run, Math.max(0, last + every - performance.now()))
  }
}
