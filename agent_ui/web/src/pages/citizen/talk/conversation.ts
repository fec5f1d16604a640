// The chat as the page keeps it: lines by their number, messages that are not acknowledged yet, the place in the queue.
// Pure: what to send comes back with the new state.
import type { ChatAnswer, ChatFrame, ChatLine, QueuePlace } from '../kit/wire'

export interface Message {
  id: string
  text: string
  attachments: { key: string; name: string }[]
  /** Why the service refused it for good, '' while it may still go. */
  refused: string
  /** What of it was at fault. */
  field?: string
}

export interface Talk {
  /** The session, a secret of this device; '' before the first welcome. */
  session: string
  lines: ChatLine[]
  waiting: Message[]
  place: Pick<QueuePlace, 'phase' | 'ahead'> | null
  /** The ticket that the chat has become. */
  number: string
  code: string
  danger: boolean
}

export const NEW: Talk = {
  session: '', lines: [], waiting: [], place: null, number: '', code: '', danger: false,
}
/** Told for this moment only: the same message goes again. */
const PASSING: ReadonlySet<string> = new Set(['overloaded', 'unavailable', 'rate_limited', 'internal'])

/** Whether an error is told of a message that shall go again. */
export const passes = (error: { error_id: string; id?: string }): boolean => Boolean(error.id) && PASSING.has(error.error_id)

export const lastSeq = (talk: Talk): number => talk.lines.at(-1)?.seq ?? 0

/** The first frame of a connection. */
export const hello = (talk: Talk): ChatFrame => ({
  type: 'hello', queue: true, ...(talk.session ? { session: talk.session, last_seq: lastSeq(talk) } : {}),
})

const frameOf = ({ id, text, attachments }: Message): ChatFrame => ({
  type: 'message', id, text, person: true,
  ...(attachments.length > 0 ? { attachments: attachments.map(({ key, name }) => ({ key, name })) as never } : {}),
})

/** Say something: kept first, then sent if there is a line. */
export function said(talk: Talk, message: Omit<Message, 'refused'>): [Talk, ChatFrame] {
  const kept = { ...message, refused: '' }
  return [{ ...talk, waiting: [...talk.waiting, kept] }, frameOf(kept)]
}

/** Take what the service says; the frames are to be sent now. */
export function heard(talk: Talk, frame: ChatAnswer): [Talk, ChatFrame[]] {
  switch (frame.type) {
    case 'welcome': {
      const same = frame.session === talk.session
      const next = same ? talk : { ...talk, session: frame.session, lines: [] }
      return [next, next.waiting.filter((one) => !one.refused).map(frameOf)]
    }
    case 'line':
      return [withLine(talk, frame), []]
    case 'ack':
      return [{
        ...without(talk, frame.id), number: frame.appeal.number, code: frame.appeal.code,
        danger: talk.danger || frame.appeal.verdict === 'emergency',
      }, []]
    case 'queue':
      return [{ ...talk, place: { phase: frame.phase, ahead: frame.ahead } }, []]
    case 'error':
      return [refusedBy(talk, frame), []]
  }
}

/** A line counts once, in its place, however often it comes. A gap means that a later connection brings the rest. */
function withLine(talk: Talk, line: ChatLine): Talk {
  return line.seq === lastSeq(talk) + 1 ? { ...talk, lines: [...talk.lines, line] } : talk
}

/** What the citizen has said and no line shows yet; it waits for its acknowledgement even after its line has come. */
export function unshown(talk: Talk): Message[] {
  const shown = new Set(talk.lines.map((line) => line.id))
  return talk.waiting.filter((one) => !shown.has(one.id))
}

const without = (talk: Talk, id: string): Talk => ({ ...talk, waiting: talk.waiting.filter((one) => one.id !== id) })

function refusedBy(talk: Talk, error: { error_id: string; id?: string; field?: string }): Talk {
  if (!error.id || passes(error)) return talk
  const waiting = talk.waiting.map((one) => (one.id === error.id ? { ...one, refused: error.error_id, field: error.field ?? '' } : one))
  return { ...talk, waiting }
}

/** What is sent again after a passing refusal: everything that waits, in its order. */
export const again = (talk: Talk): ChatFrame[] => talk.waiting.filter((one) => !one.refused).map(frameOf)

export const dropped = (talk: Talk, id: string): Talk => without(talk, id)
