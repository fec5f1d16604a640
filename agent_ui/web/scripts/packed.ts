// Packs what is worth it beside the built files (`.br`, `.gz`): the service sends what the browser takes.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Plugin } from 'vite'

const WORTH = /\.(html|js|css|svg|json)$/
const SMALL = 1024
const [brotli, zip] = [promisify(brotliCompress), promisify(gzip)]

async function pack(file: string): Promise<void> {
  const data = await readFile(file)
  if (data.length < SMALL) return
  await writeFile(`${file}.br`, await brotli(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 10 } }))
  await writeFile(`${file}.gz`, await zip(data, { level: 9 }))
}

export function packed(): Plugin {
  let out = 'dist'
  return {
    name: 'packed',
    apply: 'build',
    configResolved(config) {
      out = join(config.root, config.build.outDir)
    },
    async closeBundle() {
      const entries = await readdir(out, { recursive: true, withFileTypes: true }).catch(() => [])
      const files = entries.filter((entry) => entry.isFile() && WORTH.test(entry.name))
      await Promise.all(files.map((entry) => pack(join(entry.parentPath, entry.name))))
    },
  }
}
