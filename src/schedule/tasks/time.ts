import { durationOf } from '../../model/duration.ts'

/** Times of task scans (platform §8): `${Time.now + 1d}`. Pure. */

/** The text with every `${Time.now ± duration}` as a time in ISO 8601. */
export function atTime(text: string, now: number): string {
  return text.replace(
    /\$\{\s*Time\.now\s*(?:([+-])\s*([^}]*?)\s*)?\}/gi,
    (placeholder, sign?: string, given?: string) => {
      const duration = given === undefined ? 0 : durationOf(given)
      if (duration === undefined) return placeholder
      return new Date(sign === '-' ? now - duration : now + duration).toISOString()
    },
  )
}
