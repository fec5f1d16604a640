import { createI18n } from 'vue-i18n'
import { device } from '../device'

export type Language = 'zh' | 'en'
export type Area = 'citizen' | 'console' | 'desk' | 'board' | 'admin' | 'login'

const KEPT = 'hotline.language'
/** Words that every area has: `shared` of the shared components, `terms` of the domain. */
const ALWAYS = ['shared', 'terms'] as const
const files = import.meta.glob<{ default: Record<string, unknown> }>('./{zh,en}/*.ts')
const loaded = new Set<string>()
const wanted = new Set<string>(ALWAYS)

export const i18n = createI18n({ legacy: false, locale: 'zh', fallbackLocale: false, messages: {} as Record<string, never> })

async function load(language: Language, area: string): Promise<void> {
  const name = `./${language}/${area}.ts`
  const file = files[name]
  if (!file || loaded.has(name)) return
  i18n.global.mergeLocaleMessage(language, { [area]: (await file()).default })
  loaded.add(name)
}

const current = (): Language => (i18n.global.locale.value === 'en' ? 'en' : 'zh')

/** Load an area's words in the language of now; the router does it before it shows a page. */
export async function loadWords(area: Area): Promise<void> {
  wanted.add(area)
  await load(current(), area)
}

/** Switch the language of the whole application and remember it on this device. */
export async function speak(language: Language): Promise<void> {
  await Promise.all([...wanted].map((area) => load(language, area)))
  i18n.global.locale.value = language as never
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
  device.set(KEPT, language)
}

export const startLanguage = (): Promise<void> => speak(device.get(KEPT) === 'en' ? 'en' : 'zh')
