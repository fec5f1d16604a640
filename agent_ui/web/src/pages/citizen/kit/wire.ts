// The messages of this area, by the names of the service's own document.
import type { components } from '@/generated/http'

type Schemas = components['schemas']
/** What a client sends leaves out what has a default. */
type Sent<T> = Partial<T>

export type AppealBody = Sent<Schemas['AppealBody']> & Pick<Schemas['AppealBody'], 'text'>
export type AppealAnswer = Schemas['AppealAnswer']
export type JoinAnswer = Schemas['JoinAnswer']
export type PlaceBody = Sent<Schemas['PlaceBody']>
export type Attachment = Schemas['Attachment']
export type Look = Schemas['Look']
export type SimilarReport = Schemas['SimilarReport']
export type Progress = Schemas['Progress']
export type Step = Schemas['Step']
export type State = Schemas['State']
export type Rating = Schemas['Rating']
export type CitizenAct = Schemas['CitizenAct']
export type Kind = Schemas['Kind']
export type ChatFrame = Sent<Schemas['Hello']> | Sent<Schemas['Say']>
export type ChatAnswer =
  | Schemas['Welcome'] | Schemas['Line'] | Schemas['Ack'] | Schemas['QueuePlace'] | Schemas['Failed']
export type ChatLine = Schemas['Line']
export type QueuePlace = Schemas['QueuePlace']
