import { createHash, timingSafeEqual } from 'node:crypto'

/** For secrets: takes as long whether they are the same or not, and whatever their lengths are. */
export function isSameText(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(a), digest(b))
}
