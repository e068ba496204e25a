import { createHash } from 'node:crypto'
import { constants, copyFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { chunks, repaged } from '../../kit/chunks.ts'
import { isRunning } from '../../kit/process.ts'
import { attempt, chunksOf, identityOf, isSameFile } from '../files/file.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { SearchEnd } from '../kit/query.ts'
import { type Columns, objectMaker, tableOf, uidOf } from './columns.ts'
import { openCsv } from './file.ts'
import type { Row } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'
import { changedMeanwhile, type Fault, readSnapshot, type Snapshot, unreadableRow } from './snapshot.ts'

/**
 * The changes of a CSV file (platform §5.1): the file is compared with an earlier copy of itself, made when it was
 * last read and named by the token. Copies are in the same folder as `<file>.<ms since 1970>`; the position of a token is
 * that time, its epoch a digest of the content. Equal rows are not reported; deletions come first, then the others in the order of the
 * file. Memory holds one digest per row. While the file is not a complete listing, no deletions are reported, and the older copy
 * stays the one to compare with.
 */

/** Makes a copy of the file as it is now, from which changes are counted. */
export async function latestToken(settings: CsvSettings, path: string): Promise<SyncToken> {
  await using copy = await copyOf(path)
  await using handle = await openCsv(copy.part)
  await readSnapshot(handle, { ...settings, file: path })
  return await keep(copy, path, settings)
}

const pageSize = 500

export async function* changesSince(
  settings: CsvSettings,
  path: string,
  token: SyncToken | null,
  signal?: AbortSignal,
): AsyncGenerator<ChangesPage, SearchEnd> {
  const before = token === null ? undefined : await copyNamed(path, token)
  await using copy = await copyOf(path)
  if (before && copy.digest === before.digest) return
  const own = { ...settings, file: path }
  const old = before && (await digestsOf(before.file, settings, signal))
  await using handle = await openCsv(copy.part)
  const snapshot = await readSnapshot(handle, own, signal)
  const { index, faults, listing, byRow } = snapshot
  const { columns, rows } = await tableOf(handle, own, { signal, byRow })
  if (old) requireSameColumns(old.columns, columns, path)
  const isComplete = listing.state === 'complete'
  const gone = isComplete
    ? [...(old?.rows.keys() ?? [])].filter((id) => !index.has(id) && !faults.has(id))
    : []
  for (const ids of chunks(gone, pageSize))
    yield { changes: ids.map((id) => ({ kind: 'DELETE', id })), token }
  const asObject = objectMaker(columns, settings)
  const changeOf = (row: Row): ConnectorChange | undefined => {
    const id = uidOf(row, columns)
    if (id === undefined || faults.has(id)) return undefined
    const known = old?.rows.get(id)
    if (known === digestOf(row.fields)) return undefined
    return { kind: known === undefined ? 'CREATE' : 'UPDATE', id, object: asObject(row.fields) }
  }
  for await (const changes of repaged(rows, pageSize, changeOf)) yield { changes, token }
  for (const changes of chunks(newFaults(snapshot, old?.rows, own), pageSize)) yield { changes, token }
  if (isComplete) yield { changes: [], token: await keep(copy, path, settings, before?.file) }
  return listing
}

/** What cannot be read, and could be read before or was something else. */
function newFaults(
  { faults }: Snapshot,
  before: ReadonlyMap<string, string> | undefined,
  settings: CsvSettings,
): readonly ConnectorChange[] {
  return [...faults].flatMap(([id, fault]): ConnectorChange[] => {
    const known = before?.get(id)
    if (known === faultDigest(fault)) return []
    const object = unreadableRow(id, fault, settings)
    return [{ kind: known === undefined ? 'CREATE' : 'UPDATE', id, object }]
  })
}

/** A copy that gets its name when it is kept; otherwise it is deleted. */
interface Copy extends AsyncDisposable {
  readonly part: string
  readonly file: string
  readonly time: number
  readonly digest: string
}

/** Each copy has a later time than those before it, also of one millisecond, and also if the clock was set back. */
async function copyOf(path: string): Promise<Copy> {
  await removeParts(path)
  const [newest] = await newestFirst(path)
  const time = Math.max(Date.now(), (newest?.time ?? 0) + 1)
  const file = `${path}.${time}`
  const part = `${file}.${hostname()}-${process.pid}.part`
  const remove = () => rm(part, { force: true })
  await using original = await openCsv(path)
  try {
    const identity = await identityOf(original)
    await attempt(path, 'copied', () => copyFile(path, part, constants.COPYFILE_FICLONE))
    if (!isSameFile(identity, await identityOf(original))) throw changedMeanwhile(path)
    return { part, file, time, digest: await contentDigest(part), [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

/**
 * The copy gets its name, and the oldest are deleted. The previous one stays until a later token is stored, even if changes
 * are read often meanwhile. Equal content is not copied twice.
 */
async function keep(
  { part, file, time, digest }: Copy,
  path: string,
  settings: CsvSettings,
  before?: string,
): Promise<SyncToken> {
  const [newest] = await newestFirst(path)
  if (newest && (await contentDigest(newest.file)) === digest) return { epoch: digest, position: newest.time }
  await attempt(file, 'written', () => rename(part, file))
  const superfluous = (await newestFirst(path))
    .slice(Math.max(2, settings.keptSnapshots))
    .filter((copy) => copy.file !== before)
  await Promise.all(superfluous.map((copy) => rm(copy.file, { force: true })))
  return { epoch: digest, position: time }
}

/** Removes copies that were not finished when their process ended. */
export async function removeParts(path: string): Promise<void> {
  const folder = dirname(path)
  const prefix = `${basename(path)}.`
  const names = await attempt(folder, 'listed', () => readdir(folder))
  for (const name of names) {
    const unfinished =
      name.startsWith(prefix) && /^\d{13}(?:\.(.+)-(\d+))?\.part$/.exec(name.slice(prefix.length))
    if (!unfinished) continue
    const [, host, pid] = unfinished
    const part = join(folder, name)
    const written = await stat(part).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
    if (written !== undefined && isLeft({ host, pid: Number(pid), written })) await rm(part, { force: true })
  }
}

interface Part {
  /** Undefined: of a version that did not say whose it is. */
  readonly host: string | undefined
  readonly pid: number
  readonly written: number
}

/** Of other machines it is not known which processes live, but no copy takes so long. */
function isLeft({ host, pid, written }: Part): boolean {
  if (host !== hostname()) return Date.now() - written > 3_600_000
  // Of an earlier process with the number of this one, as in a container that was started again.
  if (pid === process.pid) return written < performance.timeOrigin
  return !isRunning(pid)
}

async function newestFirst(path: string) {
  return (await copiesOf(path)).toSorted((a, b) => b.time - a.time)
}

async function copiesOf(path: string): Promise<readonly { readonly file: string; readonly time: number }[]> {
  const prefix = `${basename(path)}.`
  const names = await attempt(dirname(path), 'listed', () => readdir(dirname(path)))
  return names.flatMap((name) => {
    const time = name.startsWith(prefix) ? name.slice(prefix.length) : ''
    return /^\d{13}$/.test(time) ? [{ file: join(dirname(path), name), time: Number(time) }] : []
  })
}

async function copyNamed(
  path: string,
  token: SyncToken,
): Promise<{ readonly file: string; readonly digest: string }> {
  const { epoch, position } = token
  if (!/^\d{13}$/.test(String(position)))
    throw new ConnectorError('staleToken', `${JSON.stringify(token)} is no token of ${path}`)
  const file = `${path}.${position}`
  const found = await contentDigest(file).catch(() => undefined)
  if (found === epoch) return { file, digest: epoch }
  const fact = found === undefined ? 'is not there any more' : 'has been altered'
  throw new ConnectorError('staleToken', `the copy ${file}, with which the file was to be compared, ${fact}`)
}

async function contentDigest(file: string): Promise<string> {
  const hash = createHash('sha256')
  await using handle = await openCsv(file)
  for await (const chunk of chunksOf(handle, 0, file)) hash.update(chunk)
  return hash.digest('hex').slice(0, 16)
}

async function digestsOf(file: string, settings: CsvSettings, signal?: AbortSignal) {
  await using handle = await openCsv(file)
  const own = { ...settings, file }
  const { columns, faults, byRow } = await readSnapshot(handle, own, signal)
  const table = await tableOf(handle, own, { signal, byRow })
  const rows = new Map<string, string>()
  for await (const some of table.rows) {
    for (const row of some) {
      const id = uidOf(row, columns)
      if (id !== undefined) rows.set(id, digestOf(row.fields))
    }
  }
  for (const [id, fault] of faults) rows.set(id, faultDigest(fault))
  return { columns, rows }
}

function faultDigest({ checksum }: Fault): string {
  return `unreadable ${checksum}`
}

function digestOf(fields: readonly string[]): string {
  return createHash('sha1').update(JSON.stringify(fields)).digest('base64')
}

function requireSameColumns(before: Columns, now: Columns, path: string): void {
  if (before.names.join('\n') === now.names.join('\n')) return
  const names = `${before.names.join(', ')} to ${now.names.join(', ')}`
  throw new ConnectorError('staleToken', `the columns of ${path} have changed from ${names}`)
}
