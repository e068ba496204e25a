/** Projects in temporary folders, and the real command line run on them as a user would. */
import { spawn, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { lastingFolder, type TemporaryFolder, temporaryFolder } from '../../src/testing/folder.ts'
import { program, root } from './program.ts'
import { type Result, warmProgram } from './warm-program.ts'
import { type Running, startServer } from './warm-server.ts'

export { type Result, root }
export const bin = join(program, 'bin/syncline.js')

/**
 * What the processes of the tests see: colours neither wanted nor refused by whoever runs the tests (Node reads all
 * four names), and a cache of compiled sources, because half of a short command's time is compiling.
 */
const environment = {
  ...process.env,
  FORCE_COLOR: undefined,
  NO_COLOR: undefined,
  NODE_DISABLE_COLORS: undefined,
  CI: undefined,
  NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/syncline-tests'),
}

/** On whose behalf a process runs, if not that of whoever runs the tests. */
export interface Identity {
  readonly uid?: number
  readonly gid?: number
}

const templates = new Map<string, TestProject>()

export class TestProject implements Disposable {
  readonly #temporary: TemporaryFolder
  readonly folder: string

  constructor(temporary = temporaryFolder()) {
    this.#temporary = temporary
    this.folder = temporary.path
  }

  /** A copy of examples/hr-to-directory. */
  static example(temporary = temporaryFolder()): TestProject {
    const project = new TestProject(temporary)
    const filter = (path: string) => !path.includes('.syncline')
    cpSync(join(root, 'examples/hr-to-directory'), project.folder, { recursive: true, filter })
    return project
  }

  /** The example after a run of each of these mappings, made once a process. */
  static loaded(...mappings: readonly string[]): TestProject {
    const key = mappings.join(' ')
    const known = templates.get(key)
    if (known) return known.copy()
    const last = mappings.at(-1)
    if (last === undefined) return TestProject.example()
    using before = TestProject.loaded(...mappings.slice(0, -1))
    const made = before.copy(lastingFolder())
    made.json('recon', last)
    templates.set(key, made)
    return made.copy()
  }

  /** With its store, which no process may have open. */
  copy(temporary?: TemporaryFolder): TestProject {
    const project = new TestProject(temporary)
    cpSync(this.folder, project.folder, { recursive: true, preserveTimestamps: true })
    return project
  }

  path(file: string): string {
    return join(this.folder, file)
  }

  write(file: string, content: string | object): void {
    mkdirSync(dirname(this.path(file)), { recursive: true })
    writeFileSync(this.path(file), typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }

  read(file: string): string {
    return readFileSync(this.path(file), 'utf8')
  }

  bytes(file: string): Buffer {
    return readFileSync(this.path(file))
  }

  edit(file: string, change: (text: string) => string): void {
    const before = this.read(file)
    const after = change(before)
    if (after === before) throw new Error(`the edit changed nothing in ${file}`)
    this.write(file, after)
  }

  /** Bytes and modification time: equal only if nobody wrote. */
  stamp(file: string): { readonly text: string; readonly modified: bigint } {
    return { text: this.read(file), modified: statSync(this.path(file), { bigint: true }).mtimeNs }
  }

  syncline(args: readonly string[], env: Record<string, string> = {}, as: Identity = {}): Result {
    return syncline([...args, '--project', this.folder], env, as)
  }

  /** The one JSON document that `--json` promises. */
  json<T = Record<string, never>>(...args: readonly string[]): T {
    const { out, err } = this.syncline([...args, '--json'])
    try {
      return JSON.parse(out) as T
    } catch (cause) {
      throw new Error(`no JSON document on stdout: ${out}\n${err}`, { cause })
    }
  }

  /** Starts the command line and does not wait for it. */
  start(args: readonly string[], env: Record<string, string> = {}) {
    return spawn(process.execPath, [bin, ...args, '--project', this.folder], {
      env: { ...environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  }

  /** Starts a server on a free port. */
  serve(env: Record<string, string>): Running {
    const args = ['serve', '--port', '0', '--json', '--project', this.folder]
    return startServer(args, { ...environment, ...env }, env.NODE_OPTIONS !== undefined)
  }

  [Symbol.dispose](): void {
    this.#temporary[Symbol.dispose]()
  }
}

/** A command. It has a process of its own only if what is asked for concerns the process. */
export function syncline(
  args: readonly string[],
  env: Record<string, string> = {},
  as: Identity = {},
): Result {
  const ownProcess = env.NODE_OPTIONS !== undefined || Object.keys(as).length > 0
  if (!ownProcess) return warmProgram(environment).run(args, { ...environment, ...env })
  return run(process.execPath, [bin, ...args], env, as)
}

/** Any program in the environment of the tests. One that hangs is ended, and has no code. */
export function run(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
  options: Identity & { readonly cwd?: string } = {},
): Result {
  const { status, stdout, stderr } = spawnSync(program, args, {
    ...options,
    env: { ...environment, ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 600_000,
    killSignal: 'SIGKILL',
  })
  return { code: status, out: stdout, err: stderr }
}

/** A run that takes some seconds, as on a slow machine, tells on stderr how far it is. */
export function withoutProgress(text: string): string {
  return text.replaceAll(/^(sources|targets): \d+ of \d+ objects, \d+\/s\n/gm, '')
}

/** The store behind Syncline's back. */
export function openStore(project: TestProject): DatabaseSync {
  return new DatabaseSync(project.path('.syncline/syncline.db'))
}

/** The run object, as far as tests look at it. */
export interface RunObject {
  readonly _id: string
  readonly state: string
  readonly situationSummary: Readonly<Record<string, number>>
  readonly statusSummary: { readonly SUCCESS: number; readonly FAILURE: number }
  readonly progress: {
    readonly target: { created: number; updated: number; deleted: number; unchanged: number }
    readonly links: { created: number }
  }
}

/** A connector document for a CSV file below data/. */
export function csvConnector(
  name: string,
  columns: readonly string[],
  options: Record<string, unknown> = {},
): object {
  return {
    name,
    connectorRef: {
      bundleName: 'org.forgerock.openicf.connectors.csvfile-connector',
      bundleVersion: '[1.0,2)',
      connectorName: 'org.forgerock.openicf.csvfile.CSVFileConnector',
    },
    configurationProperties: {
      csvFile: `&{launcher.project.location}/data/${name}.csv`,
      headerUid: columns[0],
      ...options,
    },
    objectTypes: {
      account: {
        $schema: 'http://json-schema.org/draft-03/schema',
        id: '__ACCOUNT__',
        type: 'object',
        nativeType: '__ACCOUNT__',
        properties: Object.fromEntries(columns.map((column) => [column, { type: 'string' }])),
      },
    },
  }
}
