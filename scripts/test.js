// `npm test` on a machine with nothing but git, Node 20 and npm: install what is missing, run every test.
import { ensureInstalled, run } from './install.js'

ensureInstalled()
run('vitest', ['run', ...process.argv.slice(2)])
