// Whoever works in several pages finds from each the way to the others, and from each the way to their own account.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it } from 'vitest'
import { i18n, loadWords, startLanguage } from '../src/i18n'
import TopBar from '../src/pages/console/TopBar.vue'
import { router } from '../src/router'
import { placesOf, useSession, type Role } from '../src/session'
import StaffBar from '../src/shared/StaffBar.vue'

const ROLES: readonly Role[] = ['agent', 'supervisor', 'department', 'system_admin', 'security_admin', 'audit_admin']

beforeEach(async () => {
  setActivePinia(createPinia())
  await startLanguage()
  await loadWords('console')
})

it.each(ROLES)('%s', (role) => {
  const found = router.getRoutes().filter(({ path, meta }) => path !== '/login/account' && meta.roles?.includes(role)).map(({ path }) => path)
  const places = placesOf(role).map((one) => `/${one}`)
  expect(places.length > 0 ? [...places].sort() : found.length).toEqual(found.length > 1 ? found.sort() : 1)
})

const BARS = [['the console', TopBar, { owed: 0 }], ['other pages', StaffBar, { title: '' }]] as const
it.each(BARS)('on the bar of %s', async (_, bar, props) => {
  useSession().staff = { name: 'wang', display_name: '王芳', role: 'supervisor' }
  const page = mount(bar as typeof StaffBar, { props: props as never, global: { plugins: [i18n, router], stubs: { ElDropdown: true } } })
  await flushPromises()
  const ways = page.findAll('a').map((one) => one.attributes('href'))
  expect(ways).toEqual(expect.arrayContaining(['/board', '/console', '/admin', '/login/account']))
})
