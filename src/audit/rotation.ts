import type { FileRetention, Rotation } from './settings.ts'

/** Decides when files are archived and which archived files are removed. Pure: times and sizes have been read before. */

const day = 86_400_000

/** Must a file be archived because of its age? `begun`: the time of its first line; undefined: it has none. */
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
  /** The time of the last write, in ms. */
  readonly time: number
}

/** The archived files that may be removed, oldest first. */
export function removable(
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
    // The oldest are removed first: if a file stays, all younger ones stay.
    if (!goes) break
    removed.push(file)
    total -= file.size
    available += file.size
    left--
  }
  return removed
}
