import { isolateEngine } from '../isolate-engine.ts'
import { script, system } from './engine.ts'

/** A separate process: what it does would also end the tests. */
const engine = isolateEngine({
  resources: () => {
    throw new Error('there are no resources here')
  },
  secrets: {} as never,
  properties: () => undefined,
  projectFolder: '.',
  log: (_level, _label, message) => console.log(message.replace(/ and .*/, '')),
  memory: 32,
  timeout: 30_000,
})
const hoard = script('var all = {}; for (var i = 0; ; i++) all["key" + i] = i')
await engine.evaluate(hoard, {}, system).catch(({ code }) => console.log(code))
console.log(await engine.evaluate(script('1 + 1'), {}, system))
await engine[Symbol.asyncDispose]()
// isolated-vm does not notice that its promise will never settle, so the event loop would wait for it.
process.exit()
