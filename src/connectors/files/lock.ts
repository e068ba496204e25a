import { link, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning } from '../../kit/process.ts'
import { ConnectorError, errorCode } from '../kit/errors.ts'
import { attempt } from './file.ts'

/**
 * One writer at a time among Syncline processes, by a lock file next to the file. Other programs ignore it;
 * against them, only the file's identity is checked directly before it is replaced.
 *
 * A lock whose process has ended is broken. A process on another host cannot be checked, so its lock is
 * broken once it is older than any write takes.
 */
interface FileLock extends AsyncDisposable {
  /** True if the lock was left behind by a process that died; its temporary files may remain. */
  readonly broken: boolean
}

interface Holder {
  readonly pid: number
  readonly host: string
  /** Distinguishes processes with the same pid, as in containers. */
  readonly started: number
}

const patience = 60_000
const oldestRemote = 30_000
/** A lock names its owner at once; one without an owner belongs to a process that died in that instant. */
const oldestNameless = 1000

export async function lockFile(path: string): Promise<FileLock> {
  const lock = lockOf(path)
  const deadline = performance.now() + patience
  const seen = sightings()
  let broken = false
  for (let pause = 1; !(await take(lock, path)); pause = Math.min(pause * 2, 50)) {
    const left = await abandoned(lock, seen)
    if (left !== undefined) {
      await breakLock(lock, left)
      broken = true
    } else if (performance.now() > deadline) throw await locked(lock, path)
    else await sleep(pause)
  }
  return { broken, [Symbol.asyncDispose]: () => rm(lock, { force: true }) }
}

/** True if a process died while it was writing the file. */
export async function isAbandoned(path: string): Promise<boolean> {
  return (await abandoned(lockOf(path))) !== undefined
}

function lockOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.syncline-lock`)
}

async function take(lock: string, path: string): Promise<boolean> {
  return attempt(path, 'locked for writing', async () => {
    try {
      await using handle = await open(lock, 'wx')
      await handle.writeFile(JSON.stringify(self()))
      return true
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false
      throw error
    }
  })
}

function self(): Holder {
  return { pid: process.pid, host: hostname(), started: performance.timeOrigin }
}

/** The content of the lock file if its holder has ended; undefined while a writer may be active. */
async function abandoned(lock: string, ageOf = ageByClock): Promise<string | undefined> {
  const written = await stat(lock).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
  const text = await readFile(lock, 'utf8').catch(() => '')
  const age = written === undefined ? 0 : ageOf(written)
  return isGone(holderIn(text), age) ? text : undefined
}

type AgeOf = (written: number) => number

const ageByClock: AgeOf = (written) => Date.now() - written

/** How long a waiting writer has seen the same lock: a jump of the clock makes no lock old. */
function sightings(): AgeOf {
  const seen = new Map<number, number>()
  return (written) => {
    const first = seen.get(written) ?? performance.now()
    seen.set(written, first)
    return performance.now() - first
  }
}

function isGone(holder: Holder | undefined, age: number): boolean {
  if (holder === undefined) return age > oldestNameless
  if (holder.host !== hostname()) return age > oldestRemote
  if (holder.pid === process.pid) return holder.started !== performance.timeOrigin
  return !isRunning(holder.pid)
}

/** Another process may break the same lock and take its place meanwhile; a lock moved aside by mistake is put back. */
async function breakLock(lock: string, text: string): Promise<void> {
  const aside = `${lock}-${process.pid}`
  try {
    await rename(lock, aside)
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, lock)
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes(errorCode(error))) throw error
  } finally {
    await rm(aside, { force: true })
  }
}

function holderIn(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder
  } catch {
    return undefined
  }
}

async function locked(lock: string, path: string): Promise<ConnectorError> {
  const holder = holderIn(await readFile(lock, 'utf8').catch(() => ''))
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process'
  return new ConnectorError('busy', `${path} is being written by ${who}; if that is not so, delete ${lock}`)
}
