import type { FileHandle } from 'node:fs/promises'
import { type FileIdentity, identityOf, isSameFile } from '../files/file.ts'
import { ConnectorError } from '../kit/errors.ts'
import { type Columns, tableOf, uidOf } from './columns.ts'
import { malformed } from './file.ts'
import { RowIndex } from './row-index.ts'
import type { CsvSettings } from './settings.ts'

/**
 * What is known about one state of the file. It exists only for a file without errors: all rows fit the header, and
 * every row has its own uid.
 */
export interface Snapshot {
  readonly identity: FileIdentity
  readonly columns: Columns
  readonly index: RowIndex
  /** The last line has no line break, so a row after it needs one first. */
  readonly endsOpen: boolean
}

export async function readSnapshot(
  handle: FileHandle,
  settings: CsvSettings,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const identity = await identityOf(handle)
  const index = new RowIndex()
  const { columns, rows } = await tableOf(handle, settings, signal)
  for await (const some of rows) {
    for (const row of some) {
      const uid = uidOf(row, columns, settings.file)
      if (!index.add(uid, row)) throw await repeated(handle, settings, uid, row.line)
    }
  }
  await requireUnchanged(handle, identity, settings)
  const endsOpen = !(await endsWithLineBreak(handle, Number(identity.size)))
  return { identity, columns, index, endsOpen }
}

/** A write into the file during the read could show a state that never existed. */
export async function requireUnchanged(
  handle: FileHandle,
  identity: FileIdentity,
  { file }: CsvSettings,
): Promise<void> {
  if (!hasSameContent(identity, await identityOf(handle))) throw changedMeanwhile(file)
}

export function changedMeanwhile(file: string): ConnectorError {
  return new ConnectorError('busy', `${file} was changed by another program while it was being read`)
}

/** Of an open file: when it is replaced by name, the inode loses a name, which changes its ctime only. */
function hasSameContent(a: FileIdentity, b: FileIdentity): boolean {
  return isSameFile({ ...a, ctimeNs: b.ctimeNs }, b)
}

async function endsWithLineBreak(handle: FileHandle, size: number): Promise<boolean> {
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  return buffer[0] === 0x0a || buffer[0] === 0x0d
}

async function repeated(
  handle: FileHandle,
  settings: CsvSettings,
  uid: string,
  line: number,
): Promise<ConnectorError> {
  const { columns, rows } = await tableOf(handle, settings)
  for await (const some of rows) {
    const first = some.find(({ fields }) => fields[columns.uid] === uid)
    if (first)
      return malformed(settings.file, line, `the id "${uid}" is also that of the row in line ${first.line}`)
  }
  return malformed(settings.file, line, `the id "${uid}" is that of an earlier row, too`)
}
