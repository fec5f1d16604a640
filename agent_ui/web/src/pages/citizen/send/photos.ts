// Pictures made small on the device (which also drops where and when they were taken), and sent with progress.
import { Problem, problemOf } from '@/http/problem'
import type { Attachment } from '../kit/wire'

const LONGEST = 2000
const THUMB = 160
export const MAX_BYTES = 20 * 1024 * 1024

/** Width and height within a square of `longest`, never larger than they are. */
export function fitted(width: number, height: number, longest: number): [number, number] {
  const scale = Math.min(1, longest / Math.max(width, height, 1))
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))]
}

async function drawn(picture: ImageBitmap, longest: number): Promise<HTMLCanvasElement> {
  const canvas = document.createElement('canvas')
  ;[canvas.width, canvas.height] = fitted(picture.width, picture.height, longest)
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height)
  return canvas
}

export interface Prepared {
  data: Blob
  name: string
  thumb: string
}

/** Return a file ready to be sent; what is no picture that the browser can read goes as it is. */
export async function prepared(file: File): Promise<Prepared> {
  if (!file.type.startsWith('image/') || file.type === 'image/gif') return { data: file, name: file.name, thumb: '' }
  let picture: ImageBitmap
  try {
    picture = await createImageBitmap(file)
  } catch {
    return { data: file, name: file.name, thumb: '' } // the service tells whether it can take it
  }
  const thumb = (await drawn(picture, THUMB)).toDataURL('image/jpeg', 0.7)
  const large = await drawn(picture, LONGEST)
  picture.close()
  const data = await new Promise<Blob | null>((resolve) => large.toBlob(resolve, 'image/jpeg', 0.85))
  const name = file.name.replace(/\.\w+$/, '') + '.jpg'
  return data ? { data, name, thumb } : { data: file, name: file.name, thumb }
}

/** Send a file; `progress` hears of 0 to 1. Throws a Problem. */
export function upload(data: Blob, name: string, progress: (share: number) => void): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest() // fetch does not tell how far a body has got
    request.open('POST', `/api/v1/attachments?name=${encodeURIComponent(name)}`)
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total)
    request.onload = () => {
      if (request.status < 300) resolve(request.response as Attachment)
      else reject(problemOf(request.status, request.response))
    }
    request.onerror = request.ontimeout = () => reject(new Problem({ errorId: 'offline' }))
    request.timeout = 120_000
    request.send(data)
  })
}
