// What is being written, and the appeal that it becomes. Pure.
import { phoneTyped } from '../kit/typed'
import type { AppealBody, Attachment, Kind, PlaceBody } from '../kit/wire'

/** As the device has it: degrees of WGS-84. */
export interface Position {
  lat: number
  lon: number
  /** Metres within which the device believes to be. */
  accuracy: number
}

export interface Draft {
  text: string
  town: string
  address: string
  position: Position | null
  name: string
  phone: string
  kind: Kind | ''
  /** When it happened, in the citizen's words, and whom it concerns. */
  happenedAt: string
  about: string
  confidential: boolean
  photos: KeptPhoto[]
}

/** A file that the service has; `thumb` is a small picture of it for this page. */
export interface KeptPhoto {
  key: string
  name: string
  size: number
  thumb: string
  /** When it was uploaded: the service does not keep it as long as this page keeps the draft. */
  at: number
}

export const EMPTY: Draft = {
  text: '', town: '', address: '', position: null, name: '', phone: '', kind: '', happenedAt: '', about: '',
  confidential: false, photos: [],
}
export const MAX_TEXT = 10_000
export const MAX_PHOTOS = 9

const PHONE = /^\+?[\d\s()-]{5,20}$/

/** What stands in the way of sending, by field; nothing for a draft that can go. */
export function mistakes(draft: Draft): Partial<Record<'text' | 'phone', 'empty' | 'long' | 'phone'>> {
  const text = draft.text.trim()
  return {
    ...(text === '' && draft.photos.length === 0 ? { text: 'empty' as const } : {}),
    ...(text.length > MAX_TEXT ? { text: 'long' as const } : {}),
    ...(draft.phone.trim() !== '' && !PHONE.test(phoneTyped(draft.phone)) ? { phone: 'phone' as const } : {}),
  }
}

function placeOf(draft: Draft): PlaceBody | undefined {
  const place: PlaceBody = {}
  if (draft.town) place.town = draft.town
  if (draft.address.trim()) place.address = draft.address.trim()
  if (draft.position) Object.assign(place, { lat: draft.position.lat, lon: draft.position.lon, datum: 'wgs84' })
  return Object.keys(place).length > 0 ? place : undefined
}

/** The appeal that a draft becomes; `wordless` is what is said where only pictures tell it. */
export function bodyOf(draft: Draft, wordless: string): AppealBody {
  const place = placeOf(draft)
  return {
    text: draft.text.trim() || wordless,
    ...(draft.name.trim() ? { name: draft.name.trim() } : {}),
    ...(draft.phone.trim() ? { phone: phoneTyped(draft.phone) } : {}),
    ...(draft.kind ? { kind: draft.kind } : {}),
    ...(draft.happenedAt.trim() ? { happened_at: draft.happenedAt.trim() } : {}),
    ...(draft.about.trim() ? { about: draft.about.trim() } : {}),
    ...(place ? { place: place as AppealBody['place'] } : {}),
    ...(draft.confidential ? { confidential: true } : {}),
    ...(draft.photos.length > 0
      ? { attachments: draft.photos.map(({ key, name }) => ({ key, name })) as AppealBody['attachments'] }
      : {}),
  }
}

/** The photo as it is kept in the draft. */
export const keptPhoto = (file: Attachment, thumb: string, at: number): KeptPhoto => ({
  key: file.key, name: file.name, size: file.size, thumb, at,
})
