/** Times and durations of task scans (platform §8): `${Time.now + 1d}`, `10m`. Pure. */

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Milliseconds; undefined if the text is not a duration. Several are added: `1d 12h`. */
export function durationOf(text: string): number | undefined {
  const parts = text.trim().toLowerCase()
  if (!/^(?:\d+\s*(?:ms|[smhdw])\s*)+$/.test(parts)) return undefined
  let sum = 0
  for (const [, count, unit = ''] of parts.matchAll(/(\d+)\s*(ms|[smhdw])/g))
    sum += Number(count) * (units[unit] ?? 0)
  return sum
}

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
