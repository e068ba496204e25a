import { joinPath, normalizePath, splitPath, tolerantPath } from '../model/resource-path.ts'

/**
 * Paths as people write them in commands: a resource path as in the REST interface, but only what would be misread has to be
 * percent-encoded: `managed/user/José`, `managed/user/100%`, and `managed/user/a/b` where that means one object.
 */
export function writtenPath(text: string): string {
  return normalizePath(tolerantPath(text))
}

/** The path read as that of one object, whose id contains the slashes; undefined if no id contains one. */
export function withSlashesInId(path: string): string | undefined {
  const segments = splitPath(path)
  const idAt = segments[0] === 'system' ? 3 : 2
  if (segments.length <= idAt + 1) return undefined
  return joinPath(...segments.slice(0, idAt), segments.slice(idAt).join('/'))
}
