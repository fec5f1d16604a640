import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { loadWords, type Area } from './i18n'
import { homeOf, useSession, type Role } from './session'

declare module 'vue-router' {
  interface RouteMeta {
    area: Area
    /** Roles that may enter; without it anybody may. */
    roles?: readonly Role[]
  }
}

const CENTRE: readonly Role[] = ['agent', 'supervisor']
const EVERYBODY: readonly Role[] = ['agent', 'supervisor', 'department', 'system_admin', 'security_admin', 'audit_admin']
const ADMINISTRATORS: readonly Role[] = ['system_admin', 'security_admin', 'audit_admin']

// Each area is a chunk of its own. Pages below an area are its own children: see src/pages/<area>/routes.ts.
const routes: RouteRecordRaw[] = [
  { path: '/', component: () => import('./pages/citizen/CitizenPage.vue'), meta: { area: 'citizen' } },
  { path: '/console', component: () => import('./pages/console/ConsolePage.vue'), meta: { area: 'console', roles: CENTRE } },
  { path: '/desk', component: () => import('./pages/desk/DeskPage.vue'), meta: { area: 'desk', roles: ['department'] } },
  { path: '/board', component: () => import('./pages/board/BoardPage.vue'), meta: { area: 'board', roles: ['supervisor'] } },
  {
    path: '/admin', component: () => import('./pages/admin/AdminPage.vue'),
    meta: { area: 'admin', roles: [...ADMINISTRATORS, 'supervisor'] },
  },
  { path: '/login/account', component: () => import('./pages/login/AccountPage.vue'), meta: { area: 'login', roles: EVERYBODY } },
  { path: '/login', component: () => import('./pages/login/LoginPage.vue'), meta: { area: 'login' } },
  { path: '/:rest(.*)*', component: () => import('./pages/login/LostPage.vue'), meta: { area: 'login' } },
]

export const router = createRouter({ history: createWebHistory(), routes })

router.beforeEach(async (to) => {
  await loadWords(to.meta.area)
  const roles = to.meta.roles
  if (!roles) return true
  const session = useSession()
  const staff = await session.whoIsIt()
  if (!staff) return { path: '/login', query: { to: to.fullPath } }
  if (session.duties.length && to.path !== '/login/account') return '/login/account'
  return roles.includes(staff.role) ? true : homeOf(staff.role)
})
