import { createHash } from 'node:crypto'
import { constants, copyFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { isRunning } from '../../kit/process.ts'
import type { SyncToken } from '../kit/changes.ts'
import { ConnectorError } from '../kit/errors.ts'
import { attempt, changedMeanwhile, chunksOf, identityOf, isSameFile, openFile } from './file.ts'

/**
 * Earlier copies of a file, with which it is compared to find what has changed. They are in the same folder as `<base>.<ms since 1970>`,
 * where `base` is the path of the file, or that and what else the copies are for. The position of a token is that time, its epoch a
 * digest of the content.
 */

/** A copy that gets its name when it is kept; otherwise it is deleted. */
export interface Copy extends Part {
  readonly digest: string
}

/** A copy without its content: who has asked for it writes that to `part`. */
export interface Part extends AsyncDisposable {
  readonly part: string
  readonly file: string
  readonly time: number
}

export async function copyOf(path: string, base = path): Promise<Copy> {
  const begun = await beginCopy(base)
  const { part } = begun
  await using original = await openFile(path)
  try {
    const identity = await identityOf(original)
    await attempt(path, 'copied', () => copyFile(path, part, constants.COPYFILE_FICLONE))
    if (!isSameFile(identity, await identityOf(original))) throw changedMeanwhile(path)
    return await copyIn(begun)
  } catch (error) {
    await begun[Symbol.asyncDispose]()
    throw error
  }
}

/** Each copy has a later time than those before it, also of one millisecond, and also if the clock was set back. */
export async function beginCopy(base: string): Promise<Part> {
  await removeParts(base)
  const [newest] = await newestFirst(base)
  const time = Math.max(Date.now(), (newest?.time ?? 0) + 1)
  const file = `${base}.${time}`
  const part = `${file}.${hostname()}-${process.pid}.part`
  return { part, file, time, [Symbol.asyncDispose]: () => rm(part, { force: true }) }
}

/** Once its content is complete. */
export async function copyIn(begun: Part): Promise<Copy> {
  return { ...begun, digest: await contentDigest(begun.part) }
}

/**
 * The copy gets its name, and the oldest are deleted. The previous one stays until a later token is stored, even if changes
 * are read often meanwhile. Equal content is not copied twice.
 */
export async function keep(
  { part, file, time, digest }: Copy,
  base: string,
  kept: number,
  before?: string,
): Promise<SyncToken> {
  const [newest] = await newestFirst(base)
  if (newest && (await contentDigest(newest.file)) === digest) return { epoch: digest, position: newest.time }
  await attempt(file, 'written', () => rename(part, file))
  const superfluous = (await newestFirst(base))
    .slice(Math.max(2, kept))
    .filter((copy) => copy.file !== before)
  await Promise.all(superfluous.map((copy) => rm(copy.file, { force: true })))
  return { epoch: digest, position: time }
}

/** Removes copies that were not finished when their process ended. */
export async function removeParts(path: string): Promise<void> {
  const folder = dirname(path)
  const prefix = `${basename(path)}.`
  const names = await attempt(folder, 'listed', () => readdir(folder))
  for (const name of names) {
    const unfinished =
      name.startsWith(prefix) && /^\d{13}(?:\.(.+)-(\d+))?\.part$/.exec(name.slice(prefix.length))
    if (!unfinished) continue
    const [, host, pid] = unfinished
    const part = join(folder, name)
    const written = await stat(part).then(
      ({ mtimeMs }) => mtimeMs,
      () => undefined,
    )
    if (written !== undefined && isLeft({ host, pid: Number(pid), written })) await rm(part, { force: true })
  }
}

interface LeftPart {
  /** Undefined: of a version that did not say whose it is. */
  readonly host: string | undefined
  readonly pid: number
  readonly written: number
}

/** Of other machines it is not known which processes live, but no copy takes so long. */
function isLeft({ host, pid, written }: LeftPart): boolean {
  if (host !== hostname()) return Date.now() - written > 3_600_000
  // Of an earlier process with the number of this one, as in a container that was started again.
  if (pid === process.pid) return written < performance.timeOrigin
  return !isRunning(pid)
}

async function newestFirst(path: string) {
  return (await copiesOf(path)).toSorted((a, b) => b.time - a.time)
}

async function copiesOf(path: string): Promise<readonly { readonly file: string; readonly time: number }[]> {
  const prefix = `${basename(path)}.`
  const names = await attempt(dirname(path), 'listed', () => readdir(dirname(path)))
  return names.flatMap((name) => {
    const time = name.startsWith(prefix) ? name.slice(prefix.length) : ''
    return /^\d{13}$/.test(time) ? [{ file: join(dirname(path), name), time: Number(time) }] : []
  })
}

export async function copyNamed(
  base: string,
  token: SyncToken,
): Promise<{ readonly file: string; readonly digest: string }> {
  const { epoch, position } = token
  if (!/^\d{13}$/.test(String(position)))
    throw new ConnectorError('staleToken', `${JSON.stringify(token)} is no token of ${base}`)
  const file = `${base}.${position}`
  const found = await contentDigest(file).catch(() => undefined)
  if (found === epoch) return { file, digest: epoch }
  const fact = found === undefined ? 'is not there any more' : 'has been altered'
  throw new ConnectorError('staleToken', `the copy ${file}, with which the file was to be compared, ${fact}`)
}

async function contentDigest(file: string): Promise<string> {
  const hash = createHash('sha256')
  await using handle = await openFile(file)
  for await (const chunk of chunksOf(handle, 0, file)) hash.update(chunk)
  return hash.digest('hex').slice(0, 16)
}
