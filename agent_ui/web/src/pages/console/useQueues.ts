// The queues kept by the events: each row is put in its place when it comes, never is a whole list sorted anew.
import { computed, onScopeDispose, type ComputedRef } from 'vue'
import type { Summary } from '@/generated/frames'
import { useTopic } from '@/link'
import type { Feed } from '@/link/feeds'
import type { Change } from '@/link/rows'
import { Sorted } from '@/shared/sorted'
import { firstOf, QUEUES, type Queue } from './queues'

export interface LiveQueue extends Queue {
  count: ComputedRef<number>
  loading: ComputedRef<boolean>
  rows: ComputedRef<Summary[]>
}

export function useQueues(me: string): readonly LiveQueue[] {
  const feeds = new Map<string, Feed>()
  const feedOf = (topic: Queue['topic']): Feed => {
    const name = topic === 'mine' ? `agent:${me}` : topic
    let feed = feeds.get(name)
    if (!feed) feeds.set(name, (feed = useTopic(name)))
    return feed
  }
  return QUEUES.map((queue) => live(queue, feedOf(queue.topic)))
}

function live(queue: Queue, feed: Feed): LiveQueue {
  const sorted = new Sorted<Summary>(firstOf)
  const change: Change = (row, before) => {
    if (before && queue.shows(before)) sorted.remove(before)
    if (row && queue.shows(row)) sorted.add(row)
  }
  for (const row of feed.tickets.rows()) change(row, null)
  feed.changes.add(change)
  onScopeDispose(() => feed.changes.delete(change))
  const whenever = <T>(value: () => T): ComputedRef<T> => computed(() => (void feed.version.value, value()))
  return {
    ...queue, count: whenever(() => sorted.size), rows: whenever(() => sorted.items()), loading: computed(() => feed.loading.value),
  }
}
