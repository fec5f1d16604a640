// What a device keeps. A browser that is told to keep nothing throws when it is asked, the web views of some apps have no store, a full one takes
// nothing more: then the page remembers by itself while it is open, and goes on.
import { ref } from 'vue'

export class Store {
  /** What the browser would not take. */
  private readonly own = new Map<string, string>()
  /** Whether all of it is there after a reload. */
  readonly lasting = ref(true)

  constructor(private readonly browsers: () => Storage | null) {}

  get(key: string): string | null {
    return this.own.get(key) ?? this.trying((store) => store.getItem(key), null)
  }

  set(key: string, value: string): void {
    const taken = this.trying((store) => (store.setItem(key, value), true), false)
    if (taken) this.own.delete(key)
    else this.own.set(key, value)
    this.lasting.value = this.own.size === 0
  }

  remove(key: string): void {
    this.own.delete(key)
    this.trying((store) => store.removeItem(key), undefined)
  }

  keys(): string[] {
    const told = this.trying((store) => Array.from({ length: store.length }, (_, at) => store.key(at) ?? ''), [])
    return [...new Set([...told, ...this.own.keys()])]
  }

  private trying<T>(work: (store: Storage) => T, otherwise: T): T {
    try {
      const store = this.browsers()
      return store ? work(store) : otherwise
    } catch (error) {
      if (error instanceof DOMException) return otherwise // forbidden (SecurityError), or full (QuotaExceededError)
      throw error
    }
  }
}

/** Kept by the browser until somebody removes it, for all its tabs. */
export const device = new Store(() => globalThis.localStorage)
/** Kept by one tab, over a reload. */
export const tab = new Store(() => globalThis.sessionStorage)
