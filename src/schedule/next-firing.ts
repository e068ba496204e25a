import type { Cron, DayRule } from './cron.ts'
import type { Zone } from './zone.ts'

/**
 * When a cron expression fires next, strictly after an instant (ms since 1970); undefined if never again. Each local time
 * fires once (platform §8, [D]). A time that occurs twice because of daylight saving fires at its first occurrence. A
 * time that is skipped fires later, by the length of the gap.
 */
export function nextFiring(cron: Cron, after: number, zone: Zone): number | undefined {
  const second = Math.floor(after / 1000) * 1000
  const found = [shownAfter(cron, after, second + zone.offsetAt(second), zone)]
  const [regular] = found
  const gap = regular && zone.gapOf(regular.local)
  // The time found is skipped and fires late: a later local time may come before it.
  if (gap) found.push(shownAfter(cron, after, gap.end - 1000, zone))
  // The clock was put forward recently: some of the skipped times have not fired yet.
  const last = zone.gapBefore(second)
  if (last) {
    const skipped = nextLocal(cron, second + last.offset)
    if (skipped !== undefined && skipped < last.end)
      found.push({ local: skipped, instant: zone.instantOf(skipped) })
  }
  const instants = found.flatMap((firing) => firing?.instant ?? [])
  return instants.length > 0 ? Math.min(...instants) : undefined
}

interface Firing {
  readonly local: number
  readonly instant: number
}

/** The first local time after `local` that comes after the instant `after`. */
function shownAfter(cron: Cron, after: number, local: number, zone: Zone): Firing | undefined {
  for (let next = nextLocal(cron, local); next !== undefined; next = nextLocal(cron, next)) {
    const instant = zone.instantOf(next)
    if (instant > after) return { local: next, instant }
  }
  return undefined
}

const lastYear = 2099

/** The next local time that matches, strictly after `local`. */
function nextLocal(cron: Cron, local: number): number | undefined {
  const start = new Date(local + 1000)
  let [second, minute, hour] = [start.getUTCSeconds(), start.getUTCMinutes(), start.getUTCHours()]
  let [day, month, year] = [start.getUTCDate(), start.getUTCMonth() + 1, start.getUTCFullYear()]
  for (;;) {
    const matchingYear = cron.years ? atLeast(cron.years, year) : year
    if (matchingYear === undefined || matchingYear > lastYear) return undefined
    if (matchingYear > year) [year, month, day, hour, minute, second] = [matchingYear, 1, 1, 0, 0, 0]
    const matchingMonth = atLeast(cron.months, month)
    if (matchingMonth === undefined) {
      ;[year, month, day, hour, minute, second] = [year + 1, 1, 1, 0, 0, 0]
      continue
    }
    if (matchingMonth > month) [month, day, hour, minute, second] = [matchingMonth, 1, 0, 0, 0]
    const matchingDay = atLeast(knownDays(cron, year, month), day)
    if (matchingDay === undefined) {
      ;[month, day, hour, minute, second] = [month + 1, 1, 0, 0, 0]
      if (month > 12) [year, month] = [year + 1, 1]
      continue
    }
    if (matchingDay > day) [day, hour, minute, second] = [matchingDay, 0, 0, 0]
    const time = nextTime(cron, hour, minute, second)
    if (time) return Date.UTC(year, month - 1, day, ...time)
    ;[day, hour, minute, second] = [day + 1, 0, 0, 0]
  }
}

/** Within the day, at or after the time given. */
function nextTime(
  { hours, minutes, seconds }: Cron,
  hour: number,
  minute: number,
  second: number,
): [number, number, number] | undefined {
  const [firstMinute = 0] = minutes
  const [firstSecond = 0] = seconds
  if (hours.includes(hour)) {
    if (minutes.includes(minute)) {
      const matching = atLeast(seconds, second)
      if (matching !== undefined) return [hour, minute, matching]
    }
    const later = atLeast(minutes, minute + 1)
    if (later !== undefined) return [hour, later, firstSecond]
  }
  const later = atLeast(hours, hour + 1)
  return later === undefined ? undefined : [later, firstMinute, firstSecond]
}

/** Of a sorted list. */
function atLeast(values: readonly number[], least: number): number | undefined {
  return values.find((value) => value >= least)
}

/** Cache of the last month: firings are close together. */
const lastAsked = new WeakMap<Cron, { readonly month: number; readonly days: readonly number[] }>()

function knownDays(cron: Cron, year: number, month: number): readonly number[] {
  const key = year * 12 + month
  const known = lastAsked.get(cron)
  if (known?.month === key) return known.days
  const days = daysOf(cron.days, year, month)
  lastAsked.set(cron, { month: key, days })
  return days
}

/** The days of a month that a rule chooses, sorted. */
export function daysOf(rule: DayRule, year: number, month: number): readonly number[] {
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
  /** 1 = SUN. */
  const weekdayOf = (day: number) => new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 1
  switch (rule.kind) {
    case 'days':
      return rule.days.filter((day) => day <= length)
    case 'last': {
      const day = length - rule.before
      if (day < 1) return []
      return [rule.weekday ? nearestWeekday(day, length, weekdayOf) : day]
    }
    case 'nearest weekday':
      return rule.day > length ? [] : [nearestWeekday(rule.day, length, weekdayOf)]
    case 'weekdays':
      return allDays(length).filter((day) => rule.weekdays.includes(weekdayOf(day)))
    case 'last weekday':
      return allDays(length)
        .filter((day) => weekdayOf(day) === rule.weekday)
        .slice(-1)
    case 'nth weekday': {
      const day = allDays(length).filter((one) => weekdayOf(one) === rule.weekday)[rule.nth - 1]
      return day === undefined ? [] : [day]
    }
  }
}

function allDays(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index + 1)
}

/** Always in the same month: Saturday the 1st becomes Monday the 3rd; Sunday as the last day becomes Friday. */
function nearestWeekday(day: number, length: number, weekdayOf: (day: number) => number): number {
  const weekday = weekdayOf(day)
  if (weekday === 7) return day === 1 ? 3 : day - 1
  if (weekday === 1) return day === length ? day - 2 : day + 1
  return day
}
