// A link that opens a ticket: number and code stand behind the #, which no browser sends to any server.
export interface Opened {
  number: string
  code: string
}

const SHAPE = /^#t=([A-Z]{1,4}\d{8,24})-(\d{4,12})$/

export const linkTo = ({ number, code }: Opened, origin: string): string => `${origin}/?at=track#t=${number}-${code}`

export function openedBy(hash: string): Opened | null {
  const found = SHAPE.exec(hash)
  return found ? { number: found[1]!, code: found[2]! } : null
}
