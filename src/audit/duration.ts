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
 * Milliseconds of a duration as audit configurations write it: `1 day`, `90 days`, `5s`, `100 millis`, or a number of
 * milliseconds. `disabled`, `zero`, `unlimited` and the like, and zero itself: undefined. Null if it is no duration.
 */
export function duration(stated: unknown): number | undefined | null {
  if (stated === undefined || stated === null) return undefined
  if (typeof stated === 'number') return stated > 0 ? stated : undefined
  if (typeof stated !== 'string') return null
  if (/^\s*(disabled|zero|unlimited|none|never)?\s*$/i.test(stated)) return undefined
  let total = 0
  for (const part of stated.split(/\s*(?:,|\band\b)\s*/i)) {
    const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)\s*([a-z]+)?$/i.exec(part.trim()) ?? []
    const name = unit.toLowerCase()
    const factor = units.get(name) ?? units.get(name.replace(/s$/, ''))
    if (number === undefined || factor === undefined) return null
    total += Number(number) * factor
  }
  return total > 0 ? total : undefined
}
