import type { FileRetention, Rotation } from './settings.ts'

/** When files are put aside and which of those are removed. Pure: times and sizes have been read beforehand. */

const day = 86_400_000

/** Is a file to be put aside because of its age? `begun`: when its first line was written; undefined: it has none. */
export function isDue({ interval, times = [] }: Rotation, begun: string | undefined, now: number): boolean {
  const since = begun === undefined ? Number.NaN : Date.parse(begun)
  if (Number.isNaN(since)) return false
  if (interval !== undefined && now - since >= interval) return true
  return times.some((time) => {
    const today = Math.floor(now / day) * day + time
    const last = today <= now ? today : today - day
    return since < last
  })
}

export interface AsideFile {
  readonly name: string
  readonly size: number
  /** When it was last written to, in ms. */
  readonly time: number
}

/** Of the files put aside, oldest first, those that need not be kept. */
export function surplus(
  files: readonly AsideFile[],
  { maxFiles, maxDiskSpace, minFreeSpace, maxAge }: FileRetention,
  { free, now }: { readonly free: number; readonly now: number },
): readonly AsideFile[] {
  let total = files.reduce((sum, { size }) => sum + size, 0)
  let available = free
  let left = files.length
  const removed: AsideFile[] = []
  for (const file of files) {
    const goes =
      (maxFiles !== undefined && left > maxFiles) ||
      (maxDiskSpace !== undefined && total > maxDiskSpace) ||
      (minFreeSpace !== undefined && available < minFreeSpace) ||
      (maxAge !== undefined && now - file.time > maxAge)
    // The oldest go first: where one stays, those that are younger stay.
    if (!goes) break
    removed.push(file)
    total -= file.size
    available += file.size
    left--
  }
  return removed
}
