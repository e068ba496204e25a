// `npm test` on a machine with nothing but git, Node 20 and npm: install what is missing, run every test.
// `--fast` leaves out the slow ones (`*.slow.test.ts`).
import { ensureInstalled, run } from './install.js'

ensureInstalled()
const fast = ['--project', 'unit', '--project', 'whole']
run('vitest', [
  'run',
  ...process.argv.slice(2).flatMap((argument) => (argument === '--fast' ? fast : argument)),
])
