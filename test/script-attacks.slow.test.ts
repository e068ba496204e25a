import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { runs } from '../src/testing/runs.ts'
import { TestProject } from './support/project.ts'
import { password, serve } from './support/server.ts'

/** Scripts that exhaust something, each in its own way. `SYNCLINE_ATTACKS=1000` tries as many of them. */
const attacks = Number(process.env.SYNCLINE_ATTACKS ?? runs(60).numRuns)

const size = fc.constantFrom('1e3', '1e6', '5e7', '1e8', '2 ** 26', '2 ** 31', '2 ** 32 - 1')
const memory = [
  (n: string) => `Array.from({ length: ${n} })`,
  (n: string) => `new Array(${n}).with(0, 1)`,
  (n: string) => `new Array(${n}).toSpliced(0, 1)`,
  (n: string) => `String.raw({ raw: { length: ${n} } })`,
  (n: string) => `Math.max(...new Array(${n}))`,
  (n: string) => `String.fromCharCode.apply(null, new Array(${n}))`,
  (n: string) => `JSON.stringify(new Array(${n}))`,
  (n: string) => `var m = new Map(); for (var i = 0; i < ${n}; i++) m.set(i, {}); m.size`,
  (n: string) => `var o = {}; for (var i = 0; i < ${n}; i++) o["k" + i] = i; 1`,
  (n: string) => `var b = 2n; for (var i = 0; i < ${n}; i++) b = b ** 1000n; 1`,
  (n: string) => `new Uint8Array(${n}).length`,
  (n: string) => `"ab".repeat(${n}).length`,
  (n: string) => `[...(function* () { for (var i = 0; i < ${n}; i++) yield {} })()].length`,
  (n: string) => `var a = [1]; for (var i = 0; i < ${n}; i++) a = a.concat(a); 1`,
]
const time = [
  'for (;;) {}',
  '/^(a+)+$/.test("a".repeat(50) + "b")',
  '({ get a() { for (;;) {} } })',
  'Promise.all((function* () { for (;;) yield 1 })())',
  '(function again() { Promise.resolve().then(again) })(); 1',
  '(function f() { try { f() } finally { f() } })()',
]
const calls = [
  'for (;;) { try { openidm.read("info/ping") } catch (e) {} }',
  'for (;;) openidm.query("managed/user", { _queryFilter: "true" })',
  'openidm.action("script", "eval", { type: "text/javascript", source: context.source || "for (;;) {}" })',
  'for (;;) openidm.read("x".repeat(1e6))',
]
const log = ['for (;;) logger.info("x".repeat(1e5))', 'for (;;) console.log({ a: new Array(1000).fill(1) })']

const attack = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...memory), size).map(([make, n]) => make(n)) },
  { weight: 2, arbitrary: fc.constantFrom(...time) },
  { weight: 1, arbitrary: fc.constantFrom(...calls) },
  { weight: 1, arbitrary: fc.constantFrom(...log) },
)

/** MiB. */
function memoryOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
}

function childrenOf(pid: number): readonly number[] {
  const tasks = readdirSync(`/proc/${pid}/task`)
  return tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

/** Pings a server from now on; `end()` gives how long each answer took, in milliseconds, the fastest first. */
function pinging(url: string) {
  const program = fileURLToPath(new URL('./support/pinging.js', import.meta.url))
  const child = spawn(process.execPath, [program, url], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = Promise.all([text(child.stdout), text(child.stderr)])
  return {
    async end(): Promise<readonly number[]> {
      child.kill('SIGTERM')
      const [took, failure] = await said
      expect(failure).toBe('')
      return (JSON.parse(took) as number[]).toSorted((a, b) => a - b)
    },
    [Symbol.dispose]() {
      child.kill('SIGKILL')
    },
  }
}

// The limit ends what hangs: each attack ends at the server's own limit, long before its share.
it('a server answers throughout, whatever scripts do, and its memory comes back', {
  timeout: attacks * 20_000,
}, async () => {
  using project = new TestProject()
  project.write('conf/managed.json', { objects: [{ name: 'user' }] })
  project.write('conf/script.json', { timeout: 300, memory: 32 })
  // Its own garbage is to be collected before it grows: what is left then is what it keeps.
  const env = { SYNCLINE_ADMIN_PASSWORD: password, NODE_OPTIONS: '--max-old-space-size=128' }
  await using server = await serve(project, env)
  const evaluate = (source: string) =>
    server.call('POST', 'script?_action=eval', { body: { type: 'text/javascript', source } })
  expect((await evaluate('1 + 1')).body).toBe(2)
  const before = memoryOf(server.pid)

  using pings = pinging(server.url)
  const sources = fc.sample(attack, attacks).values()
  const attacker = async () => {
    for (const source of sources) {
      const { status, body } = await evaluate(source)
      expect(status, source).toBeLessThan(600)
      // What a script does is its own failure, or none: never one of the server.
      expect(body?.problem, `${source}: ${JSON.stringify(body).slice(0, 300)}`).not.toBe('INTERNAL')
    }
  }
  await Promise.all([attacker(), attacker(), attacker(), attacker()])
  const took = await pings.end()
  console.log(
    `${attacks} attacks: ping ${took.at(took.length >> 1)?.toFixed(0)} ms (median), ${took.at(-1)?.toFixed(0)} ms (most); ` +
      `memory ${before.toFixed(0)} MiB before, ${memoryOf(server.pid).toFixed(0)} MiB after`,
  )
  // It was answered in between, not only when an attack had ended.
  expect(took.length).toBeGreaterThan(attacks)
  await expect
    .poll(async () => {
      expect((await evaluate('2 + 2')).body).toBe(4)
      return memoryOf(server.pid)
    })
    .toBeLessThan(before + 200)
  // A host that has lost an isolate is gone, and with it what that held.
  await expect.poll(() => childrenOf(server.pid).length).toBe(1)
  expect(Math.max(...childrenOf(server.pid).map(memoryOf))).toBeLessThan(700)
})
