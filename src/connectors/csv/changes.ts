import { createHash } from 'node:crypto'
import { chunks, repaged } from '../../kit/chunks.ts'
import { copyNamed, copyOf, keep } from '../files/copies.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { SearchEnd } from '../kit/query.ts'
import { type Columns, objectMaker, tableOf, uidOf } from './columns.ts'
import { openCsv } from './file.ts'
import type { Row } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'
import { type Fault, readSnapshot, type Snapshot, unreadableRow } from './snapshot.ts'

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
  return await keep(copy, path, settings.keptSnapshots)
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
  if (isComplete) yield { changes: [], token: await keep(copy, path, settings.keptSnapshots, before?.file) }
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
