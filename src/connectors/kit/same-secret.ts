import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secret } from './values.ts'

/** Takes the same time for any difference. */
export function isSameSecret(stored: string, given: Secret): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(stored), digest(given.reveal()))
}
