// `npm run build`: the published package's dist/, from src/ by the TypeScript compiler alone.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, root, run } from './install.js'

ensureInstalled()
rmSync(join(root, 'dist'), { recursive: true, force: true })
run('tsc', ['-p', 'tsconfig.build.json'])
