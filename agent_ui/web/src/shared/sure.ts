import { ElMessageBox } from 'element-plus'
import { i18n } from '@/i18n'

const words = i18n.global as unknown as { t: (key: string) => string }

/** Ask before what cannot be taken back; true if somebody means it. `act`: what the button says. */
export async function sure(question: string, act: string): Promise<boolean> {
  const found = await ElMessageBox.confirm(question, act, {
    confirmButtonText: act, cancelButtonText: words.t('shared.cancel'), type: 'warning',
  }).catch(() => null) // closed: nothing is done
  return found !== null
}
