import { createHash } from 'node:crypto'

/** Of what a login rests on, such as a stored hash: another one when that changes, and nothing can be read from it. */
export function basisOf(stored: string): string {
  return createHash('sha256').update(stored).digest('base64url').slice(0, 22)
}
