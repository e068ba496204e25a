import { isAscii, isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'
import { chunksOf, openFile } from '../files/file.ts'
import { ConnectorError, errorCode } from '../kit/errors.ts'
import type { Encoding } from './encoding.ts'
import { type Malformed, type Row, RowReader } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'

/** A CSV file as rows, in constant memory. Every failure is a ConnectorError that names the file, and the line if known. */

export async function openCsv(path: string): Promise<FileHandle> {
  const handle = await openFile(path)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new ConnectorError('misconfigured', `${path} is no file; csvFile must name a file`)
}

export interface RowsOptions {
  readonly signal?: AbortSignal | undefined
  /** Decodes each row by itself: bytes that are not of the encoding are then an error of their row. Slower. */
  readonly byRow?: boolean
}

/**
 * Rows of an open file in the order of the file, many at a time; the header is the first row. Returns why the rest of the
 * file cannot be read. Throws the decoder's error unless `byRow`.
 */
export async function* rowsOf(
  handle: FileHandle,
  settings: CsvSettings,
  { signal, byRow = false }: RowsOptions = {},
): AsyncGenerator<readonly Row[], Malformed | undefined> {
  const { file, encoding, dialect } = settings
  const mark = await byteOrderMark(handle, encoding)
  const reader = new RowReader(dialect, byRow || encoding.singleByte, mark)
  const decoder = byRow ? bytesAsText : encoding.decoder()
  const given = byRow
    ? (rows: readonly Row[]) => rows.map((row) => decodedRow(row, settings))
    : (rows: readonly Row[]) => rows
  for await (const chunk of chunksOf(handle, mark, file)) {
    signal?.throwIfAborted()
    yield given(reader.push(decoder.decode(chunk, { stream: true }), isAscii(chunk)))
    if (reader.broken) return reader.broken
  }
  // The decoder reports a character that is cut off at the end of the file.
  yield given(reader.push(decoder.decode(), true))
  yield given(reader.end())
  return reader.broken
}

/** In every encoding here, quotes, delimiters and line breaks in ASCII are single bytes, so rows can be found in bytes. */
export function canReadByRow({ dialect }: CsvSettings): boolean {
  return /^[\0-\x7f]*$/.test(dialect.quote + dialect.delimiter + (dialect.escaper ?? ''))
}

const bytesAsText: ReturnType<Encoding['decoder']> = {
  decode: (bytes = new Uint8Array()) => Buffer.from(bytes).toString('latin1'),
}

/** A row that was read as bytes, as text. */
function decodedRow(row: Row, { dialect, encoding }: CsvSettings): Row {
  const bytes = Buffer.from(row.text, 'latin1')
  if (isAscii(bytes)) return row
  const { line, start, end, terminator } = row
  try {
    const reader = new RowReader(dialect, encoding.singleByte, 0)
    const [decoded] = [...reader.push(encoding.decoder().decode(bytes), false), ...reader.end()]
    return decoded ? { ...decoded, line, start, end, terminator } : row
  } catch (error) {
    if (!isDecodingError(error)) throw error
    const fields = row.fields.map((field) => (/^[\0-\x7f]*$/.test(field) ? field : ''))
    return { ...row, fields, fault: row.fault ?? notIn(encoding) }
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
export async function undecodable(
  handle: FileHandle,
  { file, encoding }: CsvSettings,
): Promise<ConnectorError> {
  let line = 1
  let pending = Buffer.alloc(0)
  for await (const chunk of chunksOf(handle, 0, file)) {
    let rest = Buffer.concat([pending, chunk])
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      if (!isDecodable(rest.subarray(0, end), encoding)) return malformed(file, line, notIn(encoding))
      rest = rest.subarray(end + 1)
      line++
    }
    pending = rest
  }
  return malformed(file, line, notIn(encoding))
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

function notIn({ name }: Encoding): string {
  return `bytes that are not ${name}; save the file so, or configure its encoding`
}
