import { isAscii, isUtf8 } from 'node:buffer'
import { type FileHandle, open } from 'node:fs/promises'
import { ConnectorError, type ErrorKind, errorCode } from '../kit/errors.ts'
import type { Encoding } from './encoding.ts'
import { MalformedCsv, type Row, RowReader } from './row-reader.ts'
import type { CsvSettings } from './settings.ts'

/**
 * The file on disk: opened, identified, and read as rows in constant memory. Every failure is a
 * ConnectorError that names the file, and the line if known.
 */

/** Changes with every write into the file and every replacement of it. */
export interface FileIdentity {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return (
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.ino === b.ino &&
    a.dev === b.dev
  )
}

/** Close it with `await using`. */
export async function openFile(path: string): Promise<FileHandle> {
  return attempt(path, 'opened', () => open(path, 'r'))
}

export async function openCsv(path: string): Promise<FileHandle> {
  const handle = await openFile(path)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new ConnectorError('misconfigured', `${path} is no file; csvFile must name a file`)
}

export async function identityOf(handle: FileHandle): Promise<FileIdentity> {
  return handle.stat({ bigint: true })
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

/** Runs a file operation; errors of the operating system become ConnectorErrors. */
export async function attempt<T>(path: string, done: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    const { kind, fact } = errnoFacts[code] ?? { kind: 'connection', fact: message }
    throw new ConnectorError(kind, `${path} cannot be ${done}: ${fact}`, { cause: error })
  }
}

const errnoFacts: Readonly<Record<string, { readonly kind: ErrorKind; readonly fact: string }>> = {
  ENOENT: { kind: 'connection', fact: 'there is no such file or folder' },
  ENOTDIR: { kind: 'connection', fact: 'a part of the path is no folder' },
  EACCES: { kind: 'permission', fact: 'the permissions of file or folder do not allow it' },
  EPERM: { kind: 'permission', fact: 'the operating system does not permit it' },
  EROFS: { kind: 'permission', fact: 'the file system is read-only' },
  ENOSPC: { kind: 'failed', fact: 'no space is left on the device' },
  EDQUOT: { kind: 'failed', fact: 'the disk quota is used up' },
  EFBIG: { kind: 'failed', fact: 'it would be larger than the limit for files' },
  EMFILE: { kind: 'connection', fact: 'too many files are open' },
}

async function byteOrderMark(handle: FileHandle, encoding: Encoding): Promise<number> {
  if (encoding.singleByte) return 0
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(3), 0, 3, 0)
  return bytesRead === 3 && buffer.equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0
}

const chunkSize = 512 * 1024

/** The bytes of the file from an offset on. A chunk is valid until the next one is asked for. */
export async function* chunksOf(
  handle: FileHandle,
  from: number,
  path: string,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(chunkSize)
  for (let position = from; position < to; ) {
    const length = Math.min(chunkSize, to - position)
    const { bytesRead } = await attempt(path, 'read', () => handle.read(buffer, 0, length, position))
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    position += bytesRead
  }
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
