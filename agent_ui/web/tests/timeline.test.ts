// Who did something, as people read it: of a citizen the log tells the way by which it came, which is nobody's name.
import { mount } from '@vue/test-utils'
import { beforeAll, expect, it } from 'vitest'
import type { TicketEvent } from '../src/generated/frames'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import TicketTimeline from '../src/shared/TicketTimeline.vue'

beforeAll(async () => {
  await startLanguage()
  await loadWords('desk')
})

it.each([
  ['citizen', 'wechat', '市民'], ['citizen', 'agent', '市民'], ['agent', '李敏', '坐席 李敏'], ['department', '城管局', '承办单位 城管局'], ['system', '', '系统'],
])('%s %j', (role, name, told) => {
  const event = { version: 1, at: '2026-11-21T00:00:01Z', actor: { role, name }, fact: { type: 'receive' } } as unknown as TicketEvent
  expect(mount(TicketTimeline, { props: { events: [event] }, global: { plugins: [i18n] } }).get('.actor').text()).toBe(told)
})
