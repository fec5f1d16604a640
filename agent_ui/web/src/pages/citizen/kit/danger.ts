// Words that tell of danger, looked for on the device at once, without a line; the service's own judgement comes after.
import said from './said.json'

const PATTERN = new RegExp(said.danger.join('|'), 'i')

/** Tell whether a text sounds like danger to somebody. */
export const soundsDangerous = (text: string): boolean => PATTERN.test(text)

/** What stands for words where only pictures tell it, as the service knows it. */
export const WORDLESS: string = said.wordless
