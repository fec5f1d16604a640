// Logging out: only what the service has carried out is shown as done.
import { useRouter } from 'vue-router'
import { tell } from '@/http/notice'
import { useSession } from '@/session'

/** Return what logs out and goes to the log-in; `stop` ends what needs the session. Where it fails the page goes on, and it is said. */
export function useLeave(stop: () => void = () => undefined): () => Promise<void> {
  const session = useSession()
  const router = useRouter()
  return async () => {
    try {
      await session.logOut()
    } catch (error) {
      tell(error, 'shared.stillLoggedIn')
      return
    }
    stop()
    await router.push('/login')
  }
}
