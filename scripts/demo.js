// `npm run demo` on a machine with nothing but git, Node 20 and npm.
import { ensureInstalled, run } from './install.js'

ensureInstalled()
run('node', ['scripts/demo.ts'])
