import type { components } from '@/generated/http'

export type Person = components['schemas']['Person']
export type Tone = 'good' | 'bad' | 'wait' | ''

export interface Standing {
  key: 'proposed' | 'locked' | 'failures' | 'active'
  tone: Tone
}

/** How somebody stands: proposed and not let in, locked by an administrator, locked by failures, or in. */
export function standingOf(person: Pick<Person, 'active' | 'wanted' | 'locked_until'>): Standing {
  if (person.wanted) return { key: 'proposed', tone: 'wait' }
  if (!person.active) return { key: 'locked', tone: 'bad' }
  return person.locked_until ? { key: 'failures', tone: 'wait' } : { key: 'active', tone: 'good' }
}

/** `general 1 · enterprise 3`, the best first. */
export const skillsIn = (skills: Record<string, number>): string =>
  Object.entries(skills).sort((a, b) => a[1] - b[1] || a[0].localeCompare(b[0])).map(([name, level]) => `${name} ${level}`).join(' · ')

/** `general=1, enterprise=3` → skills; null where it is none. */
export function skillsOf(text: string): Record<string, number> | null {
  const found: Record<string, number> = {}
  for (const part of text.split(/[,，、\n]/).map((one) => one.trim()).filter(Boolean)) {
    const match = /^([^=\s]{1,40})\s*=\s*([1-5])$/.exec(part)
    if (!match) return null
    found[match[1]!] = Number(match[2])
  }
  return found
}

export const ROLES = ['agent', 'supervisor', 'department', 'system_admin', 'security_admin', 'audit_admin'] as const
