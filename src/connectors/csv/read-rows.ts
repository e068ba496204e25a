import type { FileHandle } from 'node:fs/promises'
import { attempt } from './file.ts'
import type { RowIndex, RowRange } from './row-index.ts'
import { RowReader } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'

/** Rows by uid, read at their places: neighbours with one read, the gap between distant ones left out. */
export async function readRows(
  handle: FileHandle,
  index: RowIndex,
  uids: readonly string[],
  settings: CsvSettings,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = [...new Set(uids)].flatMap((uid) => {
    const range = index.range(uid)
    return range ? [{ uid, ...range }] : []
  })
  found.sort((a, b) => a.start - b.start)
  const rows = new Map<string, readonly string[]>()
  for (const block of blocksOf(found)) {
    const start = block[0]?.start as number
    const length = (block.at(-1)?.end as number) - start
    const { buffer } = await attempt(settings.file, 'read', () =>
      handle.read(Buffer.allocUnsafe(length), 0, length, start),
    )
    for (const range of block)
      rows.set(range.uid, parse(buffer.subarray(range.start - start, range.end - start), settings))
  }
  return rows
}

type Located = RowRange & { readonly uid: string }

/** Reading a small gap is cheaper than another call. */
const largestGap = 32 * 1024
const largestBlock = 1024 * 1024

function* blocksOf(ranges: readonly Located[]): Iterable<readonly Located[]> {
  let block: Located[] = []
  for (const range of ranges) {
    const [first] = block
    const last = block.at(-1)
    const near =
      first && last && range.start - last.end <= largestGap && range.end - first.start <= largestBlock
    if (!near && block.length > 0) {
      yield block
      block = []
    }
    block.push(range)
  }
  if (block.length > 0) yield block
}

function parse(bytes: Buffer, { encoding, dialect }: CsvSettings): readonly string[] {
  const reader = new RowReader(dialect, encoding.singleByte, 0)
  const [row] = [...reader.push(encoding.decoder().decode(bytes), true), ...reader.end()]
  // The index holds only places of rows.
  return (row as NonNullable<typeof row>).fields
}
