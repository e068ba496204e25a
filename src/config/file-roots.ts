import { realpathSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { listProperty, type PropertyLookup } from './properties.ts'

/**
 * Which files the configuration may name: those below the project folder and below the folders of the property
 * `syncline.file.roots` (a comma list). Otherwise one who may change the configuration over REST could read and overwrite any
 * file that the server can. Symbolic links count as what they lead to.
 */
export function fileRoots(folder: string, property: PropertyLookup): (path: string) => boolean {
  const named = listProperty(property, 'syncline.file.roots')
  const base = resolve(folder)
  const roots = [base, ...named].map((root) => real(resolve(base, root)))
  return (path) => {
    const file = real(resolve(base, path))
    return roots.some((root) => file === root || file.startsWith(root.endsWith(sep) ? root : root + sep))
  }
}

export const outsideRoots =
  'it lies outside of the project folder; name its folder in the property syncline.file.roots'

/** Of a file that is not there yet, the folder counts. */
function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : resolve(real(parent), path.slice(parent.length).replace(/^[/\\]+/, ''))
  }
}
