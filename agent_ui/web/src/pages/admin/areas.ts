import type { Role } from '@/session'

/** What an administrator works on; each is a view of its own. */
export type Area =
  | 'people' | 'directory' | 'categories' | 'queues' | 'thresholds' | 'calendar' | 'knowledge' | 'models' | 'security'
  | 'access' | 'audit' | 'nuisance'

const AREAS: Partial<Record<Role, readonly Area[]>> = {
  system_admin: ['people', 'directory', 'categories', 'queues', 'thresholds', 'calendar', 'models'],
  security_admin: ['people', 'security', 'access'],
  audit_admin: ['audit', 'access'],
  supervisor: ['directory', 'knowledge', 'categories', 'queues', 'thresholds', 'calendar', 'models', 'nuisance'],
}

/** What a role works on; the three administrators have nothing in common but the list of people and of rights. */
export const areasOf = (role: Role | undefined): readonly Area[] => (role ? (AREAS[role] ?? []) : [])

/** The area of an address, the role's first one where it is none of its. */
export const areaOf = (asked: unknown, role: Role | undefined): Area | undefined =>
  areasOf(role).find((one) => one === asked) ?? areasOf(role)[0]
