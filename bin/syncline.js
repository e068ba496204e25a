#!/usr/bin/env node
// Plain JavaScript that old Node versions run: it finds a Node that is new enough, or says what to do.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'
import v8 from 'node:v8'

const needed = 24
const here = (path) => fileURLToPath(new URL(path, import.meta.url))

if (Number(process.versions.node.split('.')[0]) >= needed) {
  // Half of the time of a short command is compiling; NODE_DISABLE_COMPILE_CACHE=1 goes without.
  module.enableCompileCache()
  boundGarbage()
  // A checkout runs its sources, a published package its build.
  const entry = existsSync(here('../src/main.ts')) ? '../src/main.ts' : '../dist/main.js'
  // Whoever reads what is printed may leave (`| head`, a terminal that is closed): what is being done goes on, and is recorded.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const { main } = await import(new URL(entry, import.meta.url))
  const code = await main(process.argv.slice(2))
  // Explicitly, so that nothing that is still open keeps the process; but not before all is written.
  for (const stream of [process.stdout, process.stderr]) await new Promise((done) => stream.write('', done))
  process.exit(code)
} else {
  runWithPinnedNode()
}

/**
 * V8 keeps four times as much as is alive before it collects what is old, and enlarges the space for new objects to 128 MiB
 * as long as pages of a run survive a collection: both cost memory and save no time. Three times is enough. The limit
 * of the space can only be given to a new process, but it can be kept from growing further. (Growing in one step was tried: a load
 * of 20,000 objects had a third more memory at its peak, 322 instead of 245 MiB, for no certain gain.)
 */
function boundGarbage() {
  v8.setFlagsFromString('--heap-growing-percent=200')
  const most = 32 << 20
  const timer = setInterval(() => {
    const size = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size
    if (size === undefined || size < most) return
    v8.setFlagsFromString('--semi-space-growth-factor=1')
    clearInterval(timer)
  }, 100)
  timer.unref()
}

/** The npm package `node` carries a Node binary; a checkout has it as a development dependency. */
function runWithPinnedNode() {
  const places = ['../node_modules/node/bin/node', '../../node/bin/node', '../../../node/bin/node'].map(here)
  const node = places.find((place) => existsSync(place))
  if (!node) {
    console.error(
      `syncline needs Node.js ${needed} or newer, and this is ${process.versions.node}: run "npm install node@${needed}" in this folder, or install a newer Node.js.`,
    )
    process.exit(2)
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`syncline could not start ${node}: ${error.message}`)
    process.exit(2)
  })
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}
