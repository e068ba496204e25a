import { randomUUID } from 'node:crypto'
import { constants, copyFile, type FileHandle, link, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { errorCode } from '../kit/errors.ts'
import { attempt, chunksOf, type FileIdentity, identityOf, isSameFile, openFile } from './file.ts'

/**
 * Replaces a file in one step: a temporary file in the same folder gets the new content, is synced, and takes the name.
 * Readers see the old content or the new; a failure or crash in between leaves the old, and at worst a
 * temporary file that the next writer removes. Unchanged bytes are copied, never formatted again.
 */

/** One change of the file's bytes; bytes outside all changes are copied. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly bytes: Buffer
}

/** The identity of the new file; undefined, with nothing replaced, if the file is no longer the one given. */
export async function replaceFile(
  path: string,
  old: FileHandle,
  identity: FileIdentity,
  edits: readonly Edit[],
): Promise<FileIdentity | undefined> {
  const temporary = join(dirname(path), `${temporaryPrefix(path)}${randomUUID()}`)
  try {
    await attempt(path, 'written', () => writeTemporary(temporary, path, old, Number(identity.size), edits))
    // As late as possible: another program could still write between this check and the rename.
    if (!(await isStill(path, identity))) return undefined
    await attempt(path, 'replaced', () => rename(temporary, path))
  } finally {
    // Gone already if it was renamed.
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(path))
  await using renewed = await openFile(path)
  return await identityOf(renewed)
}

/** Only while no other writer can run. */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path)
  const names = await attempt(folder, 'listed', () => readdir(folder))
  const leftovers = names.filter((name) => name.startsWith(temporaryPrefix(path)))
  await Promise.all(leftovers.map((name) => rm(join(folder, name), { force: true })))
}

function temporaryPrefix(path: string): string {
  return `.${basename(path)}.syncline-new-`
}

async function writeTemporary(
  temporary: string,
  path: string,
  old: FileHandle,
  size: number,
  edits: readonly Edit[],
): Promise<void> {
  const appends = edits.every(({ start }) => start === size)
  if (appends) await copyFile(path, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
  await using handle = await open(temporary, appends ? 'r+' : 'wx')
  if (appends) for (const { start, bytes } of edits) await writeAll(handle, [bytes], start)
  else await splice(handle, path, old, edits)
  await takeOwnership(handle, old)
  await handle.sync()
}

async function splice(
  handle: FileHandle,
  path: string,
  old: FileHandle,
  edits: readonly Edit[],
): Promise<void> {
  let position = 0
  let written = 0
  let next = 0
  let skipUntil = 0
  const write = async (pieces: readonly Buffer[]) => {
    written += await writeAll(handle, pieces, written)
  }
  for await (const chunk of chunksOf(old, 0, path)) {
    const end = position + chunk.length
    const pieces: Buffer[] = []
    let from = Math.max(position, skipUntil)
    for (let edit = edits[next]; edit && edit.start < end; edit = edits[++next]) {
      pieces.push(chunk.subarray(from - position, edit.start - position), edit.bytes)
      skipUntil = edit.end
      from = Math.min(end, skipUntil)
    }
    if (from < end) pieces.push(chunk.subarray(from - position))
    await write(pieces)
    position = end
  }
  await write(edits.slice(next).map(({ bytes }) => bytes))
}

async function writeAll(handle: FileHandle, pieces: readonly Buffer[], position: number): Promise<number> {
  const content = Buffer.concat(pieces)
  // A full disk may take a part of a write before it refuses the rest.
  for (let done = 0; done < content.length; ) {
    done += (await handle.write(content, done, content.length - done, position + done)).bytesWritten
  }
  return content.length
}

/** Same permissions; same owner where the process may change owners. */
async function takeOwnership(handle: FileHandle, old: FileHandle): Promise<void> {
  const [mine, theirs] = await Promise.all([handle.stat(), old.stat()])
  if (mine.uid !== theirs.uid || mine.gid !== theirs.gid) {
    await handle.chown(theirs.uid, theirs.gid).catch(() => undefined)
  }
  if ((mine.mode & 0o777) !== (theirs.mode & 0o777)) await handle.chmod(theirs.mode & 0o777)
}

async function isStill(path: string, identity: FileIdentity): Promise<boolean> {
  await using handle = await openFile(path)
  return isSameFile(identity, await identityOf(handle))
}

/** Makes the rename itself survive a power failure. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await openFile(folder)
  await attempt(folder, 'synchronized', () => handle.sync())
}

/** A new file, at once with all of its content; where there is one meanwhile, that stays. */
export async function createFile(path: string, content: string): Promise<void> {
  const temporary = join(dirname(path), `${temporaryPrefix(path)}${randomUUID()}`)
  try {
    await attempt(path, 'created', async () => {
      await using handle = await open(temporary, 'wx')
      await handle.writeFile(content)
      await handle.sync()
    })
    await attempt(path, 'created', async () => {
      try {
        await link(temporary, path)
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error
      }
    })
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(path))
}
