/** Durations as text: `10m`, `1d 12h`. */

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
