export interface CardTable {
  head: string[]
  rows: string[][]
  texts: string[]
}

/** The first table of a model's card (Markdown), and its paragraphs as plain text. */
export function tableOf(card: string): CardTable {
  const cells = (line: string): string[] => line.split('|').slice(1, -1).map((one) => one.trim())
  const lines = card.split('\n')
  const table = lines.filter((line) => line.startsWith('|'))
  const rows = table.slice(2).map(cells)
  const texts = card.split(/\n\s*\n/).map((part) => part.trim()).filter((part) => part && !part.startsWith('|') && !part.startsWith('#'))
    .map((part) => part.replace(/\s*\n\s*/g, ' ').replace(/[*`]/g, ''))
  return { head: table[0] ? cells(table[0]) : [], rows, texts }
}
