import { randomBytes } from 'node:crypto'

/** Makes revisions: short, opaque, and never the same twice, also not after a restart or by another process. */
export function revisions(): () => string {
  const start = randomBytes(4).toString('hex')
  let count = 0
  return () => `${start}-${(count++).toString(36)}`
}
