import { isSameText } from '../../kit/same-text.ts'
import type { Secret } from './values.ts'

/** Takes the same time for any difference. */
export function isSameSecret(stored: string, given: Secret): boolean {
  return isSameText(stored, given.reveal())
}
