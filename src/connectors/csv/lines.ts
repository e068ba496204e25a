import type { FileHandle } from 'node:fs/promises'
import { chunksOf } from '../files/file.ts'

/** The lines on which these byte offsets are. Reads the file up to the last of them. */
export async function linesAt(
  handle: FileHandle,
  file: string,
  offsets: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  const wanted = offsets.filter((offset) => offset >= 0).toSorted((a, b) => a - b)
  const lines = new Map<number, number>()
  let line = 1
  let position = 0
  let next = 0
  let before = 0
  for await (const chunk of chunksOf(handle, 0, file, (wanted.at(-1) ?? -1) + 1)) {
    for (const byte of chunk) {
      for (; wanted[next] === position; next++) lines.set(position, line)
      // The \n of a \r\n ends no line of its own.
      if (byte === 0x0d || (byte === 0x0a && before !== 0x0d)) line++
      before = byte
      position++
    }
  }
  return lines
}
