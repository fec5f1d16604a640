// The messages of this area, by the names of the service's own document.
import type { components } from '@/generated/http'

type Schemas = components['schemas']
/** What a client sends leaves out what has a default. */
type Sent<T> = Partial<T>
/** What the service tells is whole, defaults included. */
type Told<T> = T extends readonly (infer One)[] ? Told<One>[]
  : T extends object ? { [Key in keyof T]-?: Told<Exclude<T[Key], undefined>> } : T

export type AppealBody = Sent<Schemas['AppealBody']> & Pick<Schemas['AppealBody'], 'text'>
export type AppealAnswer = Told<Schemas['AppealAnswer']>
export type JoinAnswer = Told<Schemas['JoinAnswer']>
export type PlaceBody = Sent<Schemas['PlaceBody']>
export type Attachment = Told<Schemas['Attachment']>
export type Look = Told<Schemas['Look']>
export type SimilarReport = Told<Schemas['SimilarReport']>
export type Progress = Told<Schemas['Progress']>
export type Step = Told<Schemas['Step']>
export type State = Schemas['State']
export type Rating = Schemas['Rating']
export type CitizenAct = Schemas['CitizenAct']
export type Kind = Schemas['Kind']
export type ChatFrame = Sent<Schemas['Hello']> | Sent<Schemas['Say']>
export type ChatAnswer =
  | Schemas['Welcome'] | Schemas['Line'] | Schemas['Ack'] | Schemas['QueuePlace'] | Schemas['Failed']
export type ChatLine = Schemas['Line']
export type QueuePlace = Schemas['QueuePlace']
