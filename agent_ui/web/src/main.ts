import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { i18n, startLanguage } from './i18n'
import { tell } from './http/notice'
import { router } from './router'
import { tameLists } from './shared/lists'
import './style/tokens.css'
import './style/base.css'

await startLanguage()
const app = createApp(App).use(createPinia()).use(i18n).use(router)
// No failure is swallowed: what nobody caught is told to the person who sits there, and stands in the browser's log.
app.config.errorHandler = (error) => tell(error)
window.addEventListener('unhandledrejection', (event) => tell(event.reason))
tameLists()
app.mount('#app')
