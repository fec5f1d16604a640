import { ElMessageBox } from 'element-plus'
import { i18n } from '@/i18n'

const words = i18n.global as unknown as { t: (key: string) => string }

/** Ask why before what is kept with its reason; null if somebody thinks better of it. `act`: what the button says. */
export async function reasonFor(act: string): Promise<string | null> {
  const found = await ElMessageBox.prompt(words.t('admin.person.reason'), act, {
    inputPattern: /\S{2,}/, inputErrorMessage: words.t('admin.person.reasonNeeded'), confirmButtonText: act,
    cancelButtonText: words.t('shared.cancel'),
  }).catch(() => null) // closed: nothing is done
  return (found as { value: string } | null)?.value.trim() ?? null
}
