import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { attempt } from '../files/file.ts'
import type { RowRange } from '../files/row-index.ts'
import { isDecodingError } from './file.ts'
import { type Row, RowReader } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * Rows by uid, read at their places: neighbours in one read, without large gaps. The bytes at a
 * place are compared with the index; undefined if they differ, so that no row is ever taken
 * for another.
 */
export async function readRows(
  handle: FileHandle,
  { index, columns }: Snapshot,
  uids: readonly string[],
  settings: CsvSettings,
  gap = largestGap,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  const found = [...new Set(uids)].flatMap((uid) => {
    const range = index.range(uid)
    return range ? [{ uid, ...range }] : []
  })
  if (found.some(({ start, end }) => start < 0 || end <= start)) return undefined
  found.sort((a, b) => a.start - b.start)
  const rows = new Map<string, readonly string[]>()
  for (const block of blocksOf(found, gap)) {
    const start = block[0]?.start ?? 0
    const length = (block.at(-1)?.end ?? 0) - start
    const { buffer, bytesRead } = await attempt(settings.file, 'read', () =>
      handle.read(Buffer.allocUnsafe(length), 0, length, start),
    )
    const content = buffer.subarray(0, bytesRead)
    for (const { uid, start: from, end } of block) {
      const row = rowIn(content.subarray(from - start, end - start), settings)
      if (row?.fields[columns.uid] !== uid || crc32(row.text) !== index.checksum(uid)) return undefined
      rows.set(uid, row.fields)
    }
  }
  return rows
}

type Located = RowRange & { readonly uid: string }

/** Reading a small gap is cheaper than another call. */
const largestGap = 32 * 1024
const largestBlock = 1024 * 1024

function* blocksOf(ranges: readonly Located[], gap: number): Iterable<readonly Located[]> {
  let block: Located[] = []
  for (const range of ranges) {
    const [first] = block
    const last = block.at(-1)
    const near = first && last && range.start - last.end <= gap && range.end - first.start <= largestBlock
    if (!near && block.length > 0) {
      yield block
      block = []
    }
    block.push(range)
  }
  if (block.length > 0) yield block
}

/** The row that these bytes are; undefined if they are anything but one row. */
function rowIn(bytes: Buffer, { encoding, dialect }: CsvSettings): Row | undefined {
  const reader = new RowReader(dialect, encoding.singleByte, 0)
  try {
    const [row, ...others] = [...reader.push(encoding.decoder().decode(bytes), true), ...reader.end()]
    return others.length === 0 && row?.fault === undefined && !reader.broken ? row : undefined
  } catch (error) {
    if (isDecodingError(error)) return undefined
    throw error
  }
}
