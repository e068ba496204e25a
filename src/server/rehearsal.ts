import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { rehearsed } from '../connectors/system/rehearsed.ts'
import { feature } from '../feature/feature.ts'
import { isRunning } from '../kit/process.ts'
import { Problem } from '../model/problem.ts'
import type { RoutedRequest, RouterFilter } from '../router/filter.ts'
import { mayWrite } from '../router/read-only.ts'
import type { ProjectOptions } from './check.ts'
import { connectorKinds } from './connectors.ts'

/** The paths below which something would happen outside of the rehearsal, or to the project itself. */
const outside: ReadonlySet<string> = new Set(['external', 'config', 'scheduler', 'schedule'])

/** Actions that do so below other paths: on what a connector remembers, in a system, on the files of the audit. */
const outsideActions: ReadonlyMap<string, readonly string[]> = new Map([
  ['system', ['liveSync', 'activeSync', 'script']],
  ['audit', ['rotate']],
])

function isOutside({ path, action }: RoutedRequest): boolean {
  const [root = ''] = path.split('/')
  // Script files are the project's; a script that is evaluated runs in the rehearsal.
  if (action === undefined) return outside.has(root) || root === 'script'
  return outside.has(root) || outsideActions.get(root)?.includes(action.name) === true
}

/** What was wanted outside, and not done: paths, and how often. */
export class NotDone {
  #counts: Record<string, number> = {}

  readonly filter: RouterFilter = async (request, next) => {
    const { path } = request
    if (!isOutside(request) || !mayWrite(request)) return next()
    this.#counts[path] = (this.#counts[path] ?? 0) + 1
    throw new Problem(
      'FORBIDDEN',
      `This is a rehearsal: ${path} is not asked, because it would happen outside`,
    )
  }

  take(): Readonly<Record<string, number>> {
    const counts = this.#counts
    this.#counts = {}
    return counts
  }
}

/** The options of a project whose systems are read, and keep what is written to themselves. */
export function rehearsing<T extends ProjectOptions>(options: T, notDone: NotDone): T {
  const refusing = feature({
    name: 'rehearsal',
    documents: /^$/,
    compile: () => ({ value: undefined, findings: [] }),
    open: () => ({ filters: [notDone.filter] }),
  })
  return {
    ...options,
    connectors: connectorKinds(options.connectors).map(rehearsed),
    features: [...(options.features ?? []), refusing],
  }
}

const prefix = 'rehearsal-'
/** When this process began: it has no other's number by chance, as in a container that was started again. */
const started = String(Math.round(performance.timeOrigin))

/** A folder for the files of one rehearsal. */
export async function rehearsalFolder(dataFolder: string): Promise<string> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  await removeLeftRehearsals(dataFolder)
  return mkdtemp(join(dataFolder, `${prefix}${process.pid}-${started}-`))
}

/** What rehearsals of processes that have ended left: copies of the store, which are large and nobody's. */
export async function removeLeftRehearsals(dataFolder: string): Promise<void> {
  for (const name of await readdir(dataFolder))
    if (isLeft(name)) await rm(join(dataFolder, name), { recursive: true, force: true })
}

function isLeft(name: string): boolean {
  if (!name.startsWith(prefix)) return false
  const [pid = '', begun] = name.slice(prefix.length).split('-')
  if (!/^\d+$/.test(pid)) return false
  return Number(pid) === process.pid ? begun !== started : !isRunning(Number(pid))
}
