// `npm run build`: the published package's dist/, from src/ by the TypeScript compiler alone.
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, root, run } from './install.js'

ensureInstalled()
rmSync(join(root, 'dist'), { recursive: true, force: true })
run('tsc', ['-p', 'tsconfig.build.json'])
// Scripts that run in the sandbox are text, not modules of the server.
cpSync(join(root, 'src/scripts/shipped'), join(root, 'dist/scripts/shipped'), { recursive: true })
