import type { BigIntStats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { ConnectorError, type ErrorKind } from '../kit/errors.ts'

/** Files on disk: opened, identified and read in pieces. Every failure is a ConnectorError that names the file. */

const identifying = ['dev', 'ino', 'size', 'mtimeNs', 'ctimeNs'] as const

/** Changes with every write into the file and every replacement of it. */
export type FileIdentity = Readonly<Pick<BigIntStats, (typeof identifying)[number]>>

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return identifying.every((name) => a[name] === b[name])
}

/** Close it with `await using`. */
export async function openFile(path: string): Promise<FileHandle> {
  return attempt(path, 'opened', () => open(path, 'r'))
}

export async function identityOf(handle: FileHandle): Promise<FileIdentity> {
  return handle.stat({ bigint: true })
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

/** A write into the file during the read could show a state that never existed. */
export async function requireUnchanged(
  handle: FileHandle,
  identity: FileIdentity,
  file: string,
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
