const BROWSERS: readonly [RegExp, string][] = [
  [/MicroMessenger/, 'WeChat'], [/Edg\//, 'Edge'], [/OPR\//, 'Opera'], [/Firefox\//, 'Firefox'], [/Chrome\//, 'Chrome'], [/Safari\//, 'Safari'],
]
const SYSTEMS: readonly [RegExp, string][] = [
  [/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Mac OS X/, 'macOS'], [/Linux|UOS|Kylin/, 'Linux'],
]
const first = (table: readonly [RegExp, string][], text: string): string => table.find(([sign]) => sign.test(text))?.[1] ?? ''

/** `Chrome · Windows` of a User-Agent; its first word where it is no browser; "" for none. */
export function deviceOf(agent: string): string {
  const known = [first(BROWSERS, agent), first(SYSTEMS, agent)].filter(Boolean).join(' · ')
  return known || agent.split(/[\s/]/)[0] || ''
}
