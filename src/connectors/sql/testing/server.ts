import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync } from 'node:fs'
import { chmod, chown } from 'node:fs/promises'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { JsonObject } from '../../../model/json.ts'
import { temporaryFolder } from '../../../testing/folder.ts'
import { standaloneHost } from '../../kit/host.ts'
import type { ConnectorHost } from '../../kit/kind.ts'
import type { Cell, Row } from '../column.ts'
import type { Dialect } from '../dialect.ts'
import { databaseTableKind } from '../kind.ts'
import type { SqlConnector } from '../sql-connector.ts'

/** A database for tests: a real server of its own, or a SQLite file. */
export interface TestDatabase extends AsyncDisposable {
  readonly name: 'PostgreSQL' | 'MariaDB' | 'SQLite'
  /** What `configurationProperties` need to reach it. */
  readonly settings: JsonObject
  run(sql: string, cells?: readonly Cell[]): Promise<readonly Row[]>
  readonly dialect: Dialect
  connect(settings: JsonObject, host?: Partial<ConnectorHost>): SqlConnector
}

export function connecting(base: JsonObject) {
  return (settings: JsonObject, host: Partial<ConnectorHost> = {}): SqlConnector =>
    // The kind makes nothing else.
    databaseTableKind.create({ ...base, ...settings }, standaloneHost(host)) as SqlConnector
}

export interface ServerProcess extends AsyncDisposable {
  readonly folder: string
  readonly port: number
  readonly pid: number
  /** Ends it as a crash does, and starts it again on the same data. */
  crash(): Promise<void>
  start(): Promise<void>
}

interface ServerPlan {
  /** Whose account the server runs under, if the tests run as root. */
  readonly account: string
  readonly prepare: (tools: Tools) => Promise<void>
  readonly command: (tools: Tools) => readonly [string, ...string[]]
  readonly isReady: (port: number) => Promise<void>
  readonly stop: NodeJS.Signals
  /** Ends it at once, with its children; it recovers when it starts again. */
  readonly crash: NodeJS.Signals
}

export interface Tools {
  readonly folder: string
  readonly port: number
  run(file: string, ...options: readonly string[]): Promise<void>
}

export async function startServer(plan: ServerPlan): Promise<ServerProcess> {
  const temporary = temporaryFolder()
  const folder = temporary.path
  const port = await freePort()
  const account = process.getuid?.() === 0 ? await accountOf(plan.account) : {}
  if (account.uid !== undefined) await chown(folder, account.uid, account.gid ?? account.uid)
  await chmod(folder, 0o700)
  const options = { cwd: folder, ...account }
  const tools: Tools = {
    folder,
    port,
    run: async (file, ...given) => void (await promisify(execFile)(file, given, options)),
  }
  await plan.prepare(tools)
  let server: ChildProcess | undefined
  let said = ''
  const start = async () => {
    const [file, ...given] = plan.command(tools)
    const started = spawn(file, given, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
    started.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4_000)
    })
    server = started
    await ready(
      () => plan.isReady(port),
      started,
      () => said,
    )
  }
  const end = async (signal: NodeJS.Signals) => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const exit = once(server, 'exit')
    server.kill(signal)
    await exit
  }
  const orphan = () => void server?.kill(plan.crash)
  process.on('exit', orphan)
  await start()
  return {
    folder,
    port,
    get pid() {
      return server?.pid ?? 0
    },
    start,
    crash: () => end(plan.crash),
    async [Symbol.asyncDispose]() {
      await end(plan.stop)
      process.off('exit', orphan)
      temporary[Symbol.dispose]()
    },
  }
}

async function ready(isReady: () => Promise<void>, server: ChildProcess, said: () => string): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`The server ended: ${said()}`)
    const failure = await isReady().then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure === undefined) return
    await sleep(50)
  }
}

/** The path of a program; a test without its server fails, and says what to install. */
export function programAt(pattern: string, packages: string): string {
  const found = pattern.includes('*') ? globSync(pattern).toSorted().at(-1) : pattern
  if (found !== undefined && existsSync(found)) return found
  throw new Error(
    `These tests need a database server. Install it: apt-get install --no-install-recommends ${packages} (looked for ${pattern})`,
  )
}

async function accountOf(name: string): Promise<{ uid?: number; gid?: number }> {
  const id = async (option: string) => Number((await promisify(execFile)('id', [option, name])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address === 'object' && address) return address.port
  throw new Error('There is no free port')
}
