import { isAscii, isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { chunksOf, openFile } from '../files/file.ts'
import { ConnectorError, errorCode } from '../kit/errors.ts'
import type { Encoding } from './encoding.ts'
import { MalformedCsv, type Row, RowReader } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'

/** A CSV file as rows, in constant memory. Every failure is a ConnectorError that names the file, and the line if known. */

export async function openCsv(path: string): Promise<FileHandle> {
  const handle = await openFile(path)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new ConnectorError('misconfigured', `${path} is no file; csvFile must name a file`)
}

/** Rows of an open file in the order of the file, many at a time; the header is the first row. */
export async function* rowsOf(
  handle: FileHandle,
  settings: CsvSettings,
  signal?: AbortSignal,
): AsyncGenerator<readonly Row[]> {
  const { file, encoding, dialect } = settings
  const mark = await byteOrderMark(handle, encoding)
  const reader = new RowReader(dialect, encoding.singleByte, mark)
  const decoder = encoding.decoder()
  try {
    for await (const chunk of chunksOf(handle, mark, file)) {
      signal?.throwIfAborted()
      yield reader.push(decoder.decode(chunk, { stream: true }), isAscii(chunk))
    }
    // The decoder reports a character that is cut off at the end of the file.
    yield reader.push(decoder.decode(), true)
    yield reader.end()
  } catch (error) {
    if (error instanceof MalformedCsv) throw malformed(file, error.line, error.message)
    if (isDecodingError(error)) throw await undecodable(handle, settings)
    throw error
  }
}

export function malformed(file: string, line: number, fact: string): ConnectorError {
  return new ConnectorError('failed', `${file}, line ${line}: ${fact}`, { detail: { file, line } })
}

async function byteOrderMark(handle: FileHandle, encoding: Encoding): Promise<number> {
  if (encoding.singleByte) return 0
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(3), 0, 3, 0)
  return bytesRead === 3 && buffer.equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0
}

export function isDecodingError(error: unknown): boolean {
  return error instanceof TypeError && errorCode(error) === 'ERR_ENCODING_INVALID_ENCODED_DATA'
}

/** Finds the line by reading the file again; only for an error message. */
async function undecodable(handle: FileHandle, { file, encoding }: CsvSettings): Promise<ConnectorError> {
  let line = 1
  let pending = Buffer.alloc(0)
  for await (const chunk of chunksOf(handle, 0, file)) {
    let rest = Buffer.concat([pending, chunk])
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      if (!isDecodable(rest.subarray(0, end), encoding)) return notIn(encoding, file, line)
      rest = rest.subarray(end + 1)
      line++
    }
    pending = rest
  }
  return notIn(encoding, file, line)
}

function isDecodable(bytes: Buffer, encoding: Encoding): boolean {
  if (!encoding.singleByte) return isUtf8(bytes)
  try {
    encoding.decoder().decode(bytes)
    return true
  } catch {
    return false
  }
}

function notIn(encoding: Encoding, file: string, line: number): ConnectorError {
  return malformed(
    file,
    line,
    `bytes that are not ${encoding.name}; save the file so, or configure its encoding`,
  )
}
