import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TemporaryFolder extends Disposable {
  readonly path: string
  /** The path of a file in it. */
  file(name: string): string
}

/** A folder of one test's own, removed at its end. */
export function temporaryFolder(): TemporaryFolder {
  base ??= process.env.TMPDIR ?? inMemory() ?? tmpdir()
  const path = mkdtempSync(join(base, 'syncline-test-'))
  return {
    path,
    file: (name) => join(path, name),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  }
}

const lasting: TemporaryFolder[] = []

/** One for all tests of the process. It goes with the process, also when Vitest ends that with a signal. */
export function lastingFolder(): TemporaryFolder {
  if (lasting.length === 0) {
    process.once('exit', () => {
      for (const folder of lasting) folder[Symbol.dispose]()
    })
    process.once('SIGTERM', () => process.exit())
  }
  const folder = temporaryFolder()
  lasting.push(folder)
  return folder
}

let base: string | undefined

/** Linux's file system in memory, if programs may lie in it and it has room: on a disk, tests wait half of their time. */
function inMemory(): string | undefined {
  try {
    const options = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1]?.split(',')
    const { bavail, bsize } = statfsSync('/dev/shm')
    const fits = options && !options.includes('noexec') && bavail * bsize >= enough
    return fits ? '/dev/shm' : undefined
  } catch {
    return undefined
  }
}

/** Containers often have 64 MiB. */
const enough = 2 ** 30
