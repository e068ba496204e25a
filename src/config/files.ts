/** The files of a project folder that are configuration, and warnings about files that are never read. */
import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { nearMiss } from '../model/nearest.ts'
import { Problem } from '../model/problem.ts'
import { idOfFile } from './document-id.ts'
import { locate } from './locate.ts'
import type { ConfigurationDocument, ConfigurationFile, ConfigurationProblem } from './project.ts'

/**
 * All files of conf/, sorted by name. CONFIGURATION if the folder is not a project. `mayBeEmpty`: an empty folder is one that is yet to
 * be configured.
 */
export async function configurationFiles(
  folder: string,
  mayBeEmpty = false,
): Promise<readonly ConfigurationFile[]> {
  if (mayBeEmpty && (await isUnused(folder))) return []
  const names = (await confEntries(folder))
    .filter((name) => name.endsWith('.json') && !name.startsWith('.'))
    .sort()
  if (names.length === 0) throw notAProject(folder, 'its conf folder holds no .json files')
  return Promise.all(
    names.map(async (name) => ({
      id: idOfFile(name),
      file: `conf/${name}`,
      bytes: await readFile(join(folder, 'conf', name)),
    })),
  )
}

/** Does a folder hold nothing but what a project begins with, and no configuration? */
async function isUnused(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => undefined)
  if (!names?.every((name) => name.startsWith('.') || ['conf', 'data', 'script'].includes(name))) return false
  const conf = await readdir(join(folder, 'conf')).catch(() => [])
  return !conf.some((name) => name.endsWith('.json') && !name.startsWith('.'))
}

async function confEntries(folder: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(join(folder, 'conf'), { withFileTypes: true })
    return entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name)
  } catch (cause) {
    throw notAProject(folder, 'it has no readable conf folder', cause)
  }
}

function notAProject(folder: string, why: string, cause?: unknown): Problem {
  const message = `${resolve(folder)} is not a Syncline project: ${why}`
  const hint = 'Name the project folder with --project, or make a project with `syncline init`.'
  return new Problem('CONFIGURATION', message, { cause, hint })
}

/** The text of conf/boot/boot.properties; empty if there is none. */
export async function bootProperties(folder: string): Promise<string> {
  const file = join(folder, 'conf', 'boot', 'boot.properties')
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new Problem('CONFIGURATION', `${file} cannot be read: ${String(cause)}`, { cause })
  }
}

/** For `$inline`: the text of a file without its last line break; relative paths are relative to the project. */
export function inlineText(
  folder: string,
  isAllowed: (path: string) => boolean,
): (path: string) => string | undefined {
  return (path) => {
    if (!isAllowed(path)) return undefined
    try {
      return readFileSync(resolve(folder, path), 'utf8').replace(/\r?\n$/, '')
    } catch {
      return undefined
    }
  }
}

/** The text of a file of the project; undefined if there is none. Scripts come from inside the project only. */
export function readProjectFile(folder: string, path: string): string | undefined {
  const file = isAbsolute(path) ? path : join(folder, path)
  if (relative(folder, file).startsWith('..')) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

const singles = (
  'sync managed script audit authentication access router policy cluster scheduler secrets metrics external.email external.rest ' +
  'provisioner.openicf.connectorinfoprovider'
).split(' ')
const families = [
  'mapping',
  'provisioner.openicf',
  'schedule',
  'endpoint',
  'fieldPolicy',
  'datasource.jdbc',
  'emailTemplate',
  'identityProvider',
  'info',
  'ui',
]

/** A file with a misspelt name is not read: a warning that gives the probable name. */
export function misnamed({ id, file }: ConfigurationFile): ConfigurationProblem | undefined {
  const [type = '', instance] = id.split('/')
  const known = instance === undefined ? singles : families
  if (known.includes(type)) return undefined
  const meant =
    nearMiss(type, known) ??
    (type === 'provisioner' && instance !== undefined ? 'provisioner.openicf' : undefined)
  if (meant === undefined) return undefined
  const suggestion = `conf/${meant}${instance === undefined ? '' : `-${instance}`}.json`
  const message = `nothing reads a file of this name; did you mean ${suggestion}?`
  return { severity: 'warning', file, line: 1, column: 1, pointer: '', message, found: file, suggestion }
}

/** Files that PingIDM reads and this version does not: users who rely on one must know. */
const effects: Readonly<Record<string, string>> = {
  scheduler: 'nothing reads this file: schedules run one after the other, in one process',
  fieldPolicy: 'nothing reads this file: passwords are checked against no field policy',
  cluster: 'nothing reads this file: there is one node',
  'datasource.jdbc': 'nothing reads this file: there is no connection to a database',
  secrets: 'nothing reads this file: the master key comes from the environment or the data folder',
  metrics: 'nothing reads this file: no measurements are published',
  identityProvider: 'nothing reads this file: there is no social login',
}

/** A warning, or undefined for a file that is read, unknown or without effect (`"enabled": false`). */
export function unread(document: ConfigurationDocument): ConfigurationProblem | undefined {
  const [type = ''] = document.id.split('/')
  const message = Object.hasOwn(effects, type) ? effects[type] : undefined
  if (message === undefined || document.content?.enabled === false) return undefined
  return locate(document, { severity: 'warning', place: [], message })
}
