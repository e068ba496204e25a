/**
 * What a queue costs whoever writes: updates of managed objects over HTTP by many clients at once, first without a mapping, then
 * with one that goes through the queue to a CSV file, which is taken away and brought back twice meanwhile. Prints the
 * 50th and 99th percentile of the answers' times, and checks that every row of the target ends as its object.
 *
 *     node bench/queue.ts [--updates 10000] [--clients 50]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    updates: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '50' },
  },
})
const updates = Number(values.updates)
const clients = Number(values.clients)
const objects = 500
const password = 'bench password'
const bin = join(import.meta.dirname, '../bin/syncline.js')

interface Times {
  readonly p50: number
  readonly p99: number
  readonly perSecond: number
  /** Seconds until the target had everything, after the last answer. */
  readonly settled: number
}

const without = await measure(false)
const queued = await measure(true)
for (const [name, { p50, p99, perSecond, settled }] of Object.entries({ 'no mapping': without, queued })) {
  const cells = [
    name.padEnd(10),
    `p50 ${p50.toFixed(1)} ms`,
    `p99 ${p99.toFixed(1)} ms`,
    `${Math.round(perSecond)} updates/s`,
  ]
  console.log(
    [...cells, name === 'queued' ? `all there ${settled.toFixed(1)} s after the last answer` : ''].join('  '),
  )
}
console.log(
  `p99 with the queue is ${(queued.p99 / without.p99).toFixed(2)} times that without synchronization`,
)
console.log(JSON.stringify({ updates, clients, without, queued }))

async function measure(withQueue: boolean): Promise<Times> {
  const folder = mkdtempSync(join(tmpdir(), 'syncline-queue-'))
  try {
    writeProject(folder, withQueue)
    const server = spawn(process.execPath, [bin, 'serve', '--port', '0', '--json', '--project', folder], {
      env: { ...process.env, SYNCLINE_ADMIN_PASSWORD: password },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string]
    const { url } = JSON.parse(line) as { url: string }
    const agent = new Agent({ keepAlive: true, maxSockets: clients })
    const put = (id: number, round: number) =>
      call(agent, 'PUT', `${url}/managed/user/u${id}`, { userName: `u${id}`, mail: `${round}@x` })
    for (let id = 0; id < objects; id++) await put(id, 0)
    const times: number[] = []
    const began = performance.now()
    let next = 0
    const client = async () => {
      for (let update = next++; update < updates; update = next++) {
        const start = performance.now()
        await put(update % objects, 1 + Math.floor(update / objects))
        times.push(performance.now() - start)
      }
    }
    const target = join(folder, 'data/dir.csv')
    const disturbed = withQueue ? disturb(target, () => times.length) : Promise.resolve()
    await Promise.all(Array.from({ length: clients }, client))
    const seconds = (performance.now() - began) / 1000
    await disturbed
    const settled = withQueue ? await untilEqual(target) : 0
    server.kill('SIGTERM')
    await once(server, 'exit')
    agent.destroy()
    times.sort((a, b) => a - b)
    const percentile = (share: number) => times[Math.floor(times.length * share)] as number
    return { p50: percentile(0.5), p99: percentile(0.99), perSecond: updates / seconds, settled }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Twice the target goes away, and comes back after some hundred more updates. */
async function disturb(target: string, done: () => number): Promise<void> {
  const until = async (count: number) => {
    while (done() < count) await new Promise((resolve) => setTimeout(resolve, 20))
  }
  for (const share of [0.2, 0.6]) {
    await until(updates * share)
    renameSync(target, `${target}.away`)
    await until(updates * (share + 0.1))
    renameSync(`${target}.away`, target)
  }
}

async function untilEqual(target: string): Promise<number> {
  const start = performance.now()
  const last = Math.floor((updates - 1) / objects) + 1
  // The last round may not reach all of them.
  const roundOf = (id: number) => (id <= (updates - 1) % objects ? last : last - 1)
  const expected = Array.from({ length: objects }, (_, id) => `"u${id}","${roundOf(id)}@x"`)
    .toSorted()
    .join('\n')
  for (;;) {
    const rows = readFileSync(target, 'utf8').trim().split('\n').slice(1).toSorted().join('\n')
    if (rows === expected) return (performance.now() - start) / 1000
    if (performance.now() - start > 300_000)
      throw new Error('the target does not come to what its objects are')
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function call(agent: Agent, method: string, url: string, body: object): Promise<void> {
  const headers = {
    'Content-Type': 'application/json',
    ...{ 'X-OpenIDM-Username': 'openidm-admin', 'X-OpenIDM-Password': password },
  }
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, agent, headers }, (answer) => {
      answer.resume()
      const ok = answer.statusCode === 200 || answer.statusCode === 201
      answer.on('end', () => (ok ? resolve() : reject(new Error(`${method} ${url}: ${answer.statusCode}`))))
    })
    asked.on('error', reject)
    asked.end(JSON.stringify(body))
  })
}

function writeProject(folder: string, withQueue: boolean): void {
  mkdirSync(join(folder, 'conf'), { recursive: true })
  mkdirSync(join(folder, 'data'), { recursive: true })
  writeFileSync(join(folder, 'data/dir.csv'), 'login,mail\n')
  const text = { type: 'string' }
  const write = (name: string, content: object) =>
    writeFileSync(join(folder, 'conf', name), JSON.stringify(content, null, 2))
  write('managed.json', {
    objects: [{ name: 'user', schema: { type: 'object', properties: { userName: text, mail: text } } }],
  })
  write('provisioner.openicf-dir.json', {
    name: 'dir',
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
      bundleVersion: '[1.0,2)',
      connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
    },
    configurationProperties: { csvFile: '&{launcher.project.location}/data/dir.csv', headerUid: 'login' },
    objectTypes: {
      account: {
        $schema: 'http://json-schema.org/draft-03/schema',
        ...{ id: '__ACCOUNT__', type: 'object', nativeType: '__ACCOUNT__' },
        properties: { login: text, mail: text },
      },
    },
  })
  write('sync.json', {
    mappings: withQueue
      ? [
          {
            name: 'user_dir',
            source: 'managed/user',
            target: 'system/dir/account',
            queuedSync: { enabled: true, pollingInterval: 100, retryDelay: 100 },
            properties: [
              { source: 'userName', target: 'login' },
              { source: 'mail', target: 'mail' },
            ],
          },
        ]
      : [],
  })
}
