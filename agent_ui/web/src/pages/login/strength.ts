export type Weakness = 'short' | 'mix' | 'name'

/** Why a password would be refused, as the service decides it (`agent_ui.identity.check_password`); null where it is good. */
export function strengthOf(password: string, name: string): Weakness | null {
  const letters = [...password]
  if (letters.length < 8 || letters.length > 200) return 'short'
  const kinds = [/[a-z]/, /\p{Lu}/u, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(password)).length
  if (letters.length < 16 && kinds < 3) return 'mix'
  return (name && password.toLowerCase().includes(name.toLowerCase())) || new Set(letters).size < 5 ? 'name' : null
}
