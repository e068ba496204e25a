const units = new Map<string, number>(
  Object.entries({
    ms: 1,
    millisecond: 1,
    milli: 1,
    s: 1_000,
    second: 1_000,
    m: 60_000,
    min: 60_000,
    minute: 60_000,
    h: 3_600_000,
    hour: 3_600_000,
    d: 86_400_000,
    day: 86_400_000,
    w: 604_800_000,
    week: 604_800_000,
  }),
)

/**
 * Milliseconds of a duration in audit configurations: `1 day`, `90 days`, `5s`, `100 millis`, or a number of
 * milliseconds. Undefined for zero and for words such as `disabled`, `zero`, `unlimited`. Null if it is not a duration.
 */
export function duration(configured: unknown): number | undefined | null {
  if (configured === undefined || configured === null) return undefined
  if (typeof configured === 'number') return configured > 0 ? configured : undefined
  if (typeof configured !== 'string') return null
  if (/^\s*(disabled|zero|unlimited|none|never)?\s*$/i.test(configured)) return undefined
  let total = 0
  for (const part of configured.split(/\s*(?:,|\band\b)\s*/i)) {
    const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/i.exec(part.trim()) ?? []
    const name = unit.toLowerCase()
    const factor = units.get(name) ?? units.get(name.replace(/s$/, ''))
    if (number === undefined || factor === undefined) return null
    total += Number(number) * factor
  }
  return total > 0 ? total : undefined
}
