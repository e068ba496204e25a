/**
 * Quartz cron expressions (platform §8): `seconds minutes hours day-of-month month day-of-week [year]`, weekdays
 * from 1 = SUN to 7 = SAT. Parsed once; pure. Errors name the field, what is wrong in it, and what is allowed.
 */
export interface Cron {
  readonly seconds: readonly number[]
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly days: DayRule
  /** 1–12, sorted. */
  readonly months: readonly number[]
  /** Undefined: every year. */
  readonly years: readonly number[] | undefined
}

/** The days of a month, from exactly one of the two day fields. */
export type DayRule =
  | { readonly kind: 'days'; readonly days: readonly number[] }
  /** Counted from the end: 0 is the last day. */
  | { readonly kind: 'last'; readonly before: number; readonly weekday: boolean }
  /** The weekday (Monday to Friday) nearest to a day, within the month. */
  | { readonly kind: 'nearest weekday'; readonly day: number }
  /** 1 = SUN. */
  | { readonly kind: 'weekdays'; readonly weekdays: readonly number[] }
  | { readonly kind: 'last weekday'; readonly weekday: number }
  | { readonly kind: 'nth weekday'; readonly weekday: number; readonly nth: number }

export class CronError extends Error {}

interface Field {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly names?: readonly string[]
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const seconds: Field = { name: 'seconds', from: 0, to: 59 }
const minutes: Field = { name: 'minutes', from: 0, to: 59 }
const hours: Field = { name: 'hours', from: 0, to: 23 }
const dayOfMonth: Field = { name: 'day-of-month', from: 1, to: 31 }
const month: Field = { name: 'month', from: 1, to: 12, names: months }
const dayOfWeek: Field = { name: 'day-of-week', from: 1, to: 7, names: weekdays }
const year: Field = { name: 'year', from: 1970, to: 2099 }

/** Throws a CronError with the error and its place. */
export function parseCron(expression: string): Cron {
  const fields = expression.trim().split(/\s+/)
  if (fields.length !== 6 && fields.length !== 7) {
    const found = expression.trim() === '' ? 0 : fields.length
    throw new CronError(
      `"${expression}" has ${found} fields; a Quartz expression has 6 or 7: seconds minutes hours day-of-month month day-of-week [year]`,
    )
  }
  const upper = fields.map((text) => text.toUpperCase())
  const [second = '', minute = '', hour = '', day = '', monthText = '', weekday = '', yearText] = upper
  return {
    seconds: values(seconds, second),
    minutes: values(minutes, minute),
    hours: values(hours, hour),
    days: dayRule(day, weekday),
    months: values(month, monthText),
    years: yearText === undefined || yearText === '*' ? undefined : values(year, yearText),
  }
}

function dayRule(day: string, weekday: string): DayRule {
  if ((day === '?') === (weekday === '?')) {
    throw new CronError(
      'day-of-month and day-of-week: exactly one of the two must be "?", because a day is chosen by one of them',
    )
  }
  return day === '?' ? weekdayRule(weekday) : monthDayRule(day)
}

function monthDayRule(text: string): DayRule {
  const last = /^L(?:-(\d+))?(W)?$/.exec(text)
  if (last) {
    const before = Number(last[1] ?? 0)
    if (before > 30) throw wrong(dayOfMonth, text, 'L may count at most 30 days back')
    return { kind: 'last', before, weekday: last[2] === 'W' }
  }
  const nearest = /^(\d+)W$/.exec(text)
  if (nearest) return { kind: 'nearest weekday', day: inRange(dayOfMonth, Number(nearest[1]), text) }
  return { kind: 'days', days: values(dayOfMonth, text) }
}

function weekdayRule(text: string): DayRule {
  if (text === 'L') return { kind: 'weekdays', weekdays: [7] }
  const [, last] = /^(\w+?)L$/.exec(text) ?? []
  if (last !== undefined) return { kind: 'last weekday', weekday: numberIn(dayOfWeek, last, text) }
  const [, word, nth] = /^(\w+)#(\d+)$/.exec(text) ?? []
  if (word !== undefined) {
    const count = Number(nth)
    if (count < 1 || count > 5) throw wrong(dayOfWeek, text, 'a weekday comes once to five times in a month')
    return { kind: 'nth weekday', weekday: numberIn(dayOfWeek, word, text), nth: count }
  }
  return { kind: 'weekdays', weekdays: values(dayOfWeek, text) }
}

/** `*`, `a`, `a-b`, `a,b`, `a/n`, `a-b/n`, `/n` (from the first value on), and lists of these. A range may wrap around. */
function values(field: Field, text: string): readonly number[] {
  const found = new Set<number>()
  for (const part of text.split(',')) for (const value of partOf(field, part, text)) found.add(value)
  return [...found].sort((a, b) => a - b)
}

function partOf(field: Field, part: string, text: string): readonly number[] {
  const [range = '', step, ...more] = part.split('/')
  if (more.length > 0 || part === '') throw wrong(field, text, `"${part}" is no value, range or step`)
  const by = step === undefined ? 1 : Number(step)
  if (!/^\d+$/.test(step ?? '1') || by < 1)
    throw wrong(field, text, `the step "${step}" must be a whole number from 1`)
  const { from, to } = field
  // Like Quartz, refuse a step that is longer than the field: it would match only its first value.
  if (step !== undefined && by > to) throw wrong(field, text, `the step ${by} is longer than the field`)
  if (range === '*' || range === '') return stepped(field, from, to, by)
  const [low = '', high, ...others] = range.split('-')
  if (others.length > 0) throw wrong(field, text, `"${range}" is no range`)
  const start = numberIn(field, low, text)
  if (high === undefined) return step === undefined ? [start] : stepped(field, start, to, by)
  return stepped(field, start, numberIn(field, high, text), by)
}

function stepped({ from, to }: Field, start: number, end: number, by: number): readonly number[] {
  const size = to - from + 1
  const length = end >= start ? end - start : end - start + size
  const found: number[] = []
  for (let offset = 0; offset <= length; offset += by) found.push(from + ((start - from + offset) % size))
  return found
}

function numberIn(field: Field, word: string, text: string): number {
  const named = field.names?.indexOf(word) ?? -1
  if (named >= 0) return named + 1
  if (!/^\d+$/.test(word)) throw wrong(field, text, `"${word}" is no ${field.name}`)
  return inRange(field, Number(word), text)
}

function inRange(field: Field, value: number, text: string): number {
  if (value >= field.from && value <= field.to) return value
  throw wrong(field, text, `${value} is out of range`)
}

function wrong({ name, from, to, names }: Field, text: string, fact: string): CronError {
  const words = names ? ` or ${names[0]}–${names.at(-1)}` : ''
  return new CronError(`${name} "${text}": ${fact}; allowed are ${from}–${to}${words}`)
}
