import { isJsonObject, type Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'

/**
 * Temporal constraints of roles and grants (platform §6.4): `[{ "duration": "start/end" }]`, an ISO 8601
 * interval; either part may be a duration (`2026-01-01T00:00Z/P30D`). The start belongs to it, the end does not. Pure; times
 * are ms since 1970.
 */
export interface Interval {
  readonly start: number
  readonly end: number
}

/** True if there are none, or one of them holds now. An invalid interval never holds: wrong access would be worse. */
export function holds(constraints: Json | undefined, now: number): boolean {
  const intervals = intervalsIn(constraints)
  return (
    intervals.length === 0 ||
    intervals.some((interval) => interval && interval.start <= now && now < interval.end)
  )
}

/** The next time at which this changes without a write; undefined if never again. */
export function nextBoundary(constraints: Json | undefined, now: number): number | undefined {
  const times = intervalsIn(constraints).flatMap((interval) =>
    interval ? [interval.start, interval.end] : [],
  )
  const future = times.filter((time) => time > now && Number.isFinite(time))
  return future.length > 0 ? Math.min(...future) : undefined
}

/** BAD_REQUEST for a constraint that is none. */
export function requireConstraints(constraints: Json | undefined, where: string): void {
  if (constraints === undefined || constraints === null) return
  const wrong = (what: string) =>
    new Problem(
      'BAD_REQUEST',
      `${where}: ${what}; expected [{"duration": "start/end"}], an ISO 8601 interval`,
    )
  if (!Array.isArray(constraints)) throw wrong('temporalConstraints is no list')
  intervalsIn(constraints).forEach((interval, at) => {
    if (!interval) throw wrong(`${JSON.stringify(constraints[at])} is no interval`)
  })
}

function intervalsIn(constraints: Json | undefined): readonly (Interval | undefined)[] {
  if (!Array.isArray(constraints)) return []
  return constraints.map((one) =>
    isJsonObject(one) && typeof one.duration === 'string' ? parseInterval(one.duration) : undefined,
  )
}

export function parseInterval(text: string): Interval | undefined {
  const [first = '', second = '', ...others] = text.trim().split('/')
  if (others.length > 0 || first === '' || second === '') return undefined
  const start = isDuration(first) ? undefined : timeIn(first)
  const end = isDuration(second) ? undefined : timeIn(second)
  if (start !== undefined && end !== undefined) return end < start ? undefined : { start, end }
  if (start !== undefined && isDuration(second)) return bounded(start, shifted(start, second, 1))
  if (end !== undefined && isDuration(first)) return bounded(shifted(end, first, -1), end)
  return undefined
}

function bounded(start: number | undefined, end: number | undefined): Interval | undefined {
  return start === undefined || end === undefined ? undefined : { start, end }
}

const isDuration = (text: string) => text.startsWith('P')

/** Without a zone it is UTC, whatever the zone of the machine. */
function timeIn(text: string): number | undefined {
  const parts =
    /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)(Z|[+-]\d{2}(?::?\d{2})?)?)?$/.exec(text)
  if (!parts) return undefined
  const [, date, time = '00:00', zone = 'Z'] = parts
  const offset = /^[+-]/.test(zone)
    ? zone.replace(/^(...)(?::?(\d{2}))?$/, (_, hours, minutes = '00') => `${hours}:${minutes}`)
    : 'Z'
  const value = Date.parse(`${date}T${time.replace(',', '.')}${offset}`)
  return Number.isNaN(value) ? undefined : value
}

const durationPattern =
  /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

function shifted(time: number, duration: string, direction: 1 | -1): number | undefined {
  const parts = durationPattern.exec(duration)
  if (!parts || duration === 'P' || duration.endsWith('T')) return undefined
  const [years, months, weeks, days, hours, minutes, seconds] = parts
    .slice(1)
    .map((part) => direction * Number(part ?? 0)) as [number, number, number, number, number, number, number]
  const date = new Date(time)
  date.setUTCFullYear(
    date.getUTCFullYear() + years,
    date.getUTCMonth() + months,
    date.getUTCDate() + days + 7 * weeks,
  )
  return date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1000
}
