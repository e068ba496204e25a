// `npm test` on a machine with nothing but git, Node 20 and npm: install what is missing, run every test.
// `--fast` leaves out the slow ones (`*.slow.test.ts`) and tries laws on fewer examples.
import { ensureInstalled, environment, run } from './install.js'

ensureInstalled()
const asked = process.argv.slice(2)
if (asked.includes('--fast')) environment.SYNCLINE_TEST_FAST = '1'
const fast = ['--project', 'unit', '--project', 'whole']
run('vitest', ['run', ...asked.flatMap((argument) => (argument === '--fast' ? fast : argument))])
