import { readFileSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'

/** The text of a file of the project; undefined if there is none. Scripts come from inside the project only. */
export function readProjectFile(folder: string, path: string): string | undefined {
  const file = isAbsolute(path) ? path : join(folder, path)
  if (relative(folder, file).startsWith('..')) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
