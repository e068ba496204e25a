import { randomUUID } from 'node:crypto'
import { open, readdir, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { isRunning } from '../../kit/process.ts'
import { Problem } from '../../model/problem.ts'

/**
 * Replaces the text of a file, or deletes the file (`undefined`), in one step: a reader sees all of the old or all of
 * the new, and a process that dies leaves one of the two. STORE_FAILED if that fails; then nothing has changed.
 */
export async function writeWhole(file: string, text: string | undefined): Promise<void> {
  try {
    if (text === undefined) await rm(file, { force: true })
    else await replace(await behindLinks(file), text)
    await syncFolder(dirname(file))
  } catch (cause) {
    throw new Problem('STORE_FAILED', `${file} cannot be written: ${(cause as Error).message}`, {
      cause,
      hint: 'Check free space and permissions of the folder; the file is as it was.',
    })
  }
}

/** A symbolic link stays a link. */
async function behindLinks(file: string): Promise<string> {
  return realpath(file).catch(() => file)
}

async function replace(file: string, text: string): Promise<void> {
  // A leading dot: no configuration file has one.
  const draft = join(dirname(file), `.${basename(file)}.${process.pid}-${randomUUID()}.draft`)
  const mode = await stat(file).then(
    (known) => known.mode & 0o777,
    () => 0o600,
  )
  try {
    await write(draft, text, mode)
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
}

async function write(file: string, text: string, mode: number): Promise<void> {
  await using handle = await open(file, 'wx', mode)
  await handle.writeFile(text)
  await handle.chmod(mode)
  await handle.sync()
}

/** Removes the files that dead processes left in a folder. */
export async function removeDrafts(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(noneIfMissing)) {
    const pid = /^\..*\.(\d+)-[\da-f-]{36}\.draft$/.exec(name)?.[1]
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(folder, name), { force: true })
  }
}

/** The folder of an empty project is not there yet. */
function noneIfMissing(error: NodeJS.ErrnoException): readonly string[] {
  if (error.code === 'ENOENT') return []
  throw error
}

/** A file name is durable only when its folder is synced. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}
