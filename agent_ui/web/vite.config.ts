/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import elementPlus from 'unplugin-element-plus/vite'
import { defineConfig } from 'vite'
import { packed } from './scripts/packed.ts'

// `npm run dev` passes what is not a page on to a running service (`make run`, or HOTLINE=http://…).
const service = process.env.HOTLINE ?? 'http://127.0.0.1:8080'
const proxied = ['/api', '/chat', '/open311', '/openapi.json', '/r/'].map((path) => [path, { target: service, ws: true }])

export default defineConfig({
  plugins: [vue(), elementPlus({}), packed()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_OPTIONS_API__: false, __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  build: { target: 'es2022', sourcemap: false, assetsInlineLimit: 0, reportCompressedSize: false, modulePreload: { polyfill: false } },
  server: { port: 5173, strictPort: true, proxy: Object.fromEntries(proxied) },
  test: {
    environment: 'happy-dom',
    include: ['tests/**/*.test.ts'],
    server: { deps: { inline: ['element-plus'] } },
  },
})
