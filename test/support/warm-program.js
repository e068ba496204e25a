/**
 * Runs one command line after the other in one process, which has loaded the program once: `node warm-program.js
 * <program's main.js> <requests> <answers>`, the last two being named pipes with a line of JSON for each command.
 */
import { createReadStream, openSync, writeSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [, , mainFile, requests, answers] = process.argv
// Before anything that may fail: the process that asks waits for both ends, and sees this one close.
const answer = openSync(answers, 'w')
const request = openSync(requests, 'r')

const written = { stdout: '', stderr: '' }
for (const name of ['stdout', 'stderr'])
  process[name].write = (chunk, encoding, callback) => {
    written[name] += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    const done = typeof encoding === 'function' ? encoding : callback
    if (done) process.nextTick(done)
    return true
  }

enableCompileCache()
const { main } = await import(pathToFileURL(mainFile).href)
for await (const line of createInterface(createReadStream(requests, { fd: request }))) {
  const { args, env } = JSON.parse(line)
  for (const name of Object.keys(process.env)) delete process.env[name]
  Object.assign(process.env, env)
  Object.assign(written, { stdout: '', stderr: '' })
  const code = await main(args)
  writeSync(answer, `${JSON.stringify({ code, out: written.stdout, err: written.stderr })}\n`)
}
// The process that asked is gone.
process.exit()
