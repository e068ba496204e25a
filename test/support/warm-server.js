/**
 * Runs one server after the other in one process, which has loaded the program once: `node warm-server.js <program's main.js>`.
 * A message of the parent process starts one, a signal ends it, as it ends a process of its own. A null character
 * is the last that it writes on each stream.
 */
import { enableCompileCache } from 'node:module'
import { pathToFileURL } from 'node:url'

enableCompileCache()
const { main } = await import(pathToFileURL(process.argv[2]).href)

process.on('disconnect', () => process.exit())
process.on('message', async ({ args, env }) => {
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  const code = await main(args)
  for (const signal of ['SIGINT', 'SIGTERM']) process.removeAllListeners(signal)
  for (const stream of [process.stdout, process.stderr]) await new Promise((done) => stream.write('\0', done))
  process.send(code)
})
