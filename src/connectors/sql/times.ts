/**
 * Dates and times, in UTC wherever a column has no zone of its own: sessions run in UTC, so what is read and what is written is the
 * same instant. Texts have as many digits of a second as the column, three at least, as `dateText` writes them.
 */
export interface Moment {
  /** ns since 1970. */
  readonly instant: bigint
  readonly day: string
}

const given =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?\s*(?:([Zz])|([-+])(\d\d)(?::?(\d\d))?)?)?$/

/** The instant that a text names; one without a zone is in UTC. Undefined for other texts. */
export function momentOf(text: string): Moment | undefined {
  const match = given.exec(text)
  if (!match) return undefined
  const [
    ,
    year,
    month,
    day,
    hour = '00',
    minute = '00',
    second = '00',
    fraction = '',
    ,
    sign,
    hours,
    minutes,
  ] = match
  const plain = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`
  const time = Date.parse(plain)
  // It takes February 30 for a day in March.
  if (Number.isNaN(time) || new Date(time).toISOString() !== plain) return undefined
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * 60_000 * (sign === '-' ? -1 : 1)
  const instant = BigInt(time - offset) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
  return { instant, day: hour === '00' && hours === undefined ? `${year}-${month}-${day}` : dayAt(instant) }
}

function dayAt(instant: bigint): string {
  return new Date(Number(instant / 1_000_000n)).toISOString().slice(0, 10)
}

/** As SQL writes it, in UTC, rounded to the digits of a second that the column has. */
export function sqlTimestamp({ instant }: Moment, digits: number): string {
  const unit = 10n ** BigInt(9 - Math.min(digits, 9))
  // Halves go to the later time, before 1970 as well.
  const rounded = floored(instant + unit / 2n, unit) * unit
  const seconds = floored(rounded, 1_000_000_000n)
  const nanos = rounded - seconds * 1_000_000_000n
  const text = new Date(Number(seconds) * 1000).toISOString().slice(0, 19).replace('T', ' ')
  return digits === 0 ? text : `${text}.${nanos.toString().padStart(9, '0').slice(0, digits)}`
}

function floored(number: bigint, divisor: bigint): bigint {
  return number / divisor - (number % divisor < 0n ? 1n : 0n)
}

const stored = /^(\d{4,})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?:\+00(?::?00)?)?$/

/** A stored time as connectors write it; undefined for the zero date of MySQL; other words (`infinity`) as they are. */
export function timestampText(text: string): string | undefined {
  const match = stored.exec(text)
  if (!match) return text
  const [, year, month, day, time, fraction = ''] = match
  if (month === '00' || day === '00') return undefined
  return `${year}-${month}-${day}T${time}.${fraction.replace(/0+$/, '').padEnd(3, '0')}Z`
}

export function dayText(text: string): string | undefined {
  return /-00(-|$)/.test(text) ? undefined : text
}

const writtenTime = /^(\d{4}-\d\d-\d\d)(?:([ T])(\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00)?)?$/

/** A time so many seconds before a stored one, written in the same way; undefined for other texts. */
export function earlier(text: string, seconds: number): string | undefined {
  const match = writtenTime.exec(text)
  if (!match) return undefined
  const [, day, gap, time, fraction = '', zone = ''] = match
  const at = Date.parse(`${day}T${time ?? '00:00:00'}Z`)
  if (Number.isNaN(at)) return undefined
  const before = new Date(at - seconds * 1000).toISOString()
  return time === undefined
    ? before.slice(0, 10)
    : `${before.slice(0, 10)}${gap}${before.slice(11, 19)}${fraction}${zone}`
}
