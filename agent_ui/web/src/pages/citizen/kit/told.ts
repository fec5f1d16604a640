import { plainWordsOf } from '@/http/notice'

/** An error as it is told to citizens. */
export const toldOf = (error: unknown): string => plainWordsOf(error, 'citizen.problem')
