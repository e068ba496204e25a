/**
 * Date-times that name one instant: ISO 8601 with a zone, such as `2026-03-01T09:30:00.25+01:00`. As texts they sort by what a
 * clock somewhere shows, so wherever two of them are compared for order, their instants are (platform §1.3).
 */

const form =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:[Zz]|([-+])(\d\d)(?::?(\d\d))?)$/

/** ms since 1970, with fractions of them; undefined if the text does not name an instant. */
export function instantOf(text: string): number | undefined {
  // Most texts are none, and end here.
  if (text.charCodeAt(4) !== hyphen || text.length < 'yyyy-mm-ddThh:mmZ'.length) return undefined
  const match = form.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second = '00', fraction = '', sign, hours = '0', minutes = '0'] =
    match
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(time) || !isDay(Number(year), Number(month), Number(day)) || hour === '24')
    return undefined
  if (Number(hours) > 23 || Number(minutes) > 59) return undefined
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000
  return time + (fraction === '' ? 0 : Number(`0.${fraction}`) * 1000) - (sign === '-' ? -offset : offset)
}

const hyphen = 45

/** `Date.parse` takes February 30 for a day in March. */
function isDay(year: number, month: number, day: number): boolean {
  if (day <= 28) return day >= 1
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  const days = month === 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31
  return day <= days
}

/**
 * The dates between which a clock shows an instant anywhere, the latter excluded: bounds for texts of that instant. Undefined
 * where a date would need more than four digits.
 */
export function datesAround(instant: number): readonly [from: string, to: string] | undefined {
  const [from, to] = [dateOf(instant - day), dateOf(instant + 2 * day)]
  return from === undefined || to === undefined ? undefined : [from, to]
}

const day = 86_400_000

function dateOf(time: number): string | undefined {
  const text = new Date(time).toISOString()
  return /^\d{4}-/.test(text) ? text.slice(0, 10) : undefined
}
