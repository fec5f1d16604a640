// Logging out is done when the service has done it.
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { useSession } from '../src/session'

const { post, push, told } = vi.hoisted(() => ({ post: vi.fn(), push: vi.fn(), told: vi.fn() }))
vi.mock('../src/http/client', async (original) => ({ ...(await original<object>()), api: { POST: post } }))
vi.mock('../src/http/notice', () => ({ tell: told }))
vi.mock('vue-router', async (original) => ({ ...(await original<object>()), useRouter: () => ({ push }) }))
const { useLeave } = await import('../src/shared/leave')

const answer = (status: number, error: object = {}): object => ({ response: new Response(null, { status }), error })
const li = { name: 'li', display_name: '李', role: 'agent' as const }

async function leaving(given: () => Promise<object>): Promise<{ stopped: boolean; who: string | undefined }> {
  const session = useSession()
  session.staff = li
  post.mockImplementationOnce(given)
  let stopped = false
  await useLeave(() => (stopped = true))()
  return { stopped, who: session.staff?.name }
}
beforeEach(() => {
  setActivePinia(createPinia())
  vi.clearAllMocks()
})

it.each([
  ['done', answer(204)], ['over already', answer(401, { error_id: 'unauthenticated' })],
])('who is logged out goes to the log-in: %s', async (_, given) => {
  expect(await leaving(async () => given)).toEqual({ stopped: true, who: undefined })
  expect([push.mock.calls, told.mock.calls]).toEqual([[['/login']], []])
})

it.each([
  ['the service is away', async () => answer(503), 'unavailable'], ['there is no network', () => Promise.reject(new TypeError('fetch')), 'offline'],
])('who is not stays at work, and is told that they are logged in still: %s', async (_, given, errorId) => {
  expect(await leaving(given)).toEqual({ stopped: false, who: 'li' })
  expect(push).not.toHaveBeenCalled()
  expect(told).toHaveBeenCalledWith(expect.objectContaining({ errorId }), 'shared.stillLoggedIn')
})
