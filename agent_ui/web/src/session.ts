import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { Staff, StaffRole } from './generated/frames'
import { api, answerOf } from './http/client'
import { isProblem } from './http/problem'

export type Role = StaffRole
export type { Staff }

const HOMES: Record<Role, string> = {
  agent: '/console', supervisor: '/board', department: '/desk',
  system_admin: '/admin', security_admin: '/admin', audit_admin: '/admin',
}

/** Where somebody lands after logging in. */
export const homeOf = (role: Role): string => HOMES[role]

export type Place = 'board' | 'console' | 'admin'
const SUPERVISED: readonly Place[] = ['board', 'console', 'admin']

/** The pages between which somebody goes; who has one alone needs no way to it. */
export const placesOf = (role: Role | undefined): readonly Place[] => (role === 'supervisor' ? SUPERVISED : [])

/** Who is logged in. The session itself is a cookie that no script can read. */
export const useSession = defineStore('session', () => {
  const staff = ref<Staff | null>(null)
  /** What must be done before anything else: a new password, a second factor. */
  const duties = ref<readonly string[]>([])

  /** Ask the service whose session the cookie is; null where there is none. */
  async function whoIsIt(): Promise<Staff | null> {
    if (staff.value) return staff.value
    try {
      const found = await answerOf(api.GET('/api/v1/session'))
      staff.value = found
      duties.value = found.duties
    } catch (error) {
      if (!isProblem(error, 'unauthenticated')) throw error
    }
    return staff.value
  }

  /** Log in; `code` is the second factor where the account has one. */
  async function logIn(name: string, password: string, code = ''): Promise<Staff> {
    const body = { name, password, ...(code ? { code } : {}) }
    const answer = await answerOf(api.POST('/api/v1/login', { body }))
    staff.value = answer.staff
    duties.value = answer.duties ?? []
    return answer.staff
  }

  /** Log out. Throws a Problem where the service did not do it: the session lives, whoever comes next would sit in it. */
  async function logOut(): Promise<void> {
    try {
      await answerOf(api.POST('/api/v1/logout'))
    } catch (error) {
      if (!isProblem(error, 'unauthenticated')) throw error // it was over already
    }
    staff.value = null
  }

  /** The service says that the session is over. */
  const forget = (): void => {
    staff.value = null
  }

  return { staff, duties, whoIsIt, logIn, logOut, forget }
})
