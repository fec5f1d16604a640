// Files of drafts: what the service no longer has is not offered, and it is said so.
import { flushPromises, mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { reactive } from 'vue'
import { KEPT_HOURS, stillKept } from '../src/drafts/files'
import { i18n, loadWords, speak } from '../src/i18n'
import PhotoPicker from '../src/pages/citizen/send/PhotoPicker.vue'
import { ACTS, commandOf, type KeptFile } from '../src/pages/desk/acts'
import FilePicker from '../src/pages/desk/FilePicker.vue'

const NOW = Date.parse('2026-11-21T04:00:00Z')
const HOUR = 3600_000
const file = (key: string, at?: number) => ({ key, name: `${key}.jpg`, media_type: 'image/jpeg', size: 1, thumb: '', ...(at === undefined ? {} : { at }) })

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'], now: NOW })
  await loadWords('citizen')
  await loadWords('desk')
  await speak('zh')
})
afterEach(() => vi.useRealTimers())

it('a file is kept while the service has it; one of which nobody knows when it came is not', () => {
  const [old, fresh, unknown] = [file('old', NOW - KEPT_HOURS * HOUR), file('fresh', NOW - KEPT_HOURS * HOUR + 1), file('unknown')]
  expect(stillKept([old, fresh, unknown], NOW)).toEqual([fresh])
})

describe.each([['a citizen', PhotoPicker, { most: 9 }], ['a unit', FilePicker, {}]])('the files of %s', (_, picker, more) => {
  it("of yesterday's draft are gone, and those that expire meanwhile go", async () => {
    const draft = reactive({ files: [file('yesterday', NOW - 30 * HOUR), file('this morning', NOW - 20 * HOUR), file('now', NOW)] as KeptFile[] })
    const shown = mount(picker as typeof FilePicker, {
      props: { modelValue: draft.files, 'onUpdate:modelValue': (next: KeptFile[]) => (draft.files = next), ...more },
      global: { plugins: [i18n] },
    })
    const keys = async (): Promise<string[]> => {
      await shown.setProps({ modelValue: draft.files })
      await flushPromises()
      return draft.files.map(({ key }) => key)
    }
    expect(await keys()).toEqual(['this morning', 'now'])
    expect(shown.find('[role=alert]').text()).toContain('有 1 个文件上传时间过久')
    vi.setSystemTime(NOW + 4 * HOUR)
    vi.advanceTimersByTime(HOUR / 60)
    expect(await keys()).toEqual(['now'])
    expect(shown.find('[role=alert]').text()).toContain('有 2 个文件')
    shown.unmount()
  })
})

it('the service is not told when a file came', () => {
  const attach = ACTS.find((act) => act.type === 'attach')!
  expect(commandOf(attach, { note: '', attachments: [{ key: 'k', name: 'k.jpg', media_type: 'image/jpeg', size: 1, at: NOW }] })).toEqual({
    type: 'attach', attachments: [{ key: 'k', name: 'k.jpg', media_type: 'image/jpeg', size: 1 }],
  })
})
