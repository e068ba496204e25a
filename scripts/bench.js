// `npm run bench`: Syncline against a floor program, in turn, on data made here.
import { ensureInstalled, run } from './install.js'

ensureInstalled()
run('node', ['bench/bench.ts', ...process.argv.slice(2)])
