// What the audit keeps in its own words (`person.grant`, `supervisor:wang`), and what an auditor reads and types. Pure.

/** Acts that have words (`admin.act`); others are shown as they are kept. */
export const ACTS = [
  'login', 'login.sso', 'logout', 'person.propose', 'person.rename', 'person.grant', 'person.lock', 'person.unlock', 'person.reset_password',
  'person.reset_second_factor', 'person.end_sessions', 'person.phone', 'person.search', 'account.password', 'account.second_factor',
  'account.second_factor_removed', 'account.recovery_codes', 'calendar.set', 'queues.set', 'audit.read', 'audit.commands', 'audit.verify',
  'audit.export', 'ticket.unmask', 'call.unmask', 'recording.listen', 'console.call_card', 'console.take_callback', 'console.phone_appeal',
  'console.merge',
] as const
const ROLES = ['agent', 'supervisor', 'department', 'system_admin', 'security_admin', 'audit_admin'] as const

/** The words of the page: `t` of the language. */
export type Words = (key: string) => string

const has = <T extends string>(all: readonly T[], one: string): one is T => (all as readonly string[]).includes(one)
const keyOf = (act: string): string => `admin.act.${act.replaceAll('.', '_')}`

export const actShown = (act: string, t: Words): string => (has(ACTS, act) ? t(keyOf(act)) : act)

/** The act that is meant: what is shown stands for it, else what was typed. */
export const actMeant = (typed: string, t: Words): string => ACTS.find((one) => t(keyOf(one)) === typed.trim()) ?? typed.trim()

/** `supervisor:wang` as 班长:wang. */
export function actorShown(actor: string, t: Words): string {
  const at = actor.indexOf(':')
  const role = actor.slice(0, at)
  return has(ROLES, role) ? `${t(`admin.role.${role}`)}${actor.slice(at)}` : actor
}

export function actorMeant(typed: string, t: Words): string {
  const meant = typed.trim().replace('：', ':')
  const role = ROLES.find((one) => meant.startsWith(`${t(`admin.role.${one}`)}:`))
  return role ? `${role}${meant.slice(meant.indexOf(':'))}` : meant
}
