import { describe, expect, it } from 'vitest'
import { parseCron } from './cron.ts'
import { nextFiring } from './next-firing.ts'
import { timeZone } from './zone.ts'

const berlin = timeZone('Europe/Berlin')
const utc = timeZone('UTC')

/** The next firings as the clock in the zone shows them, `2026-03-29 01:59` and so on. */
function firings(expression: string, from: string, count: number, zone = utc): string[] {
  const cron = parseCron(expression)
  const found: string[] = []
  let at: number | undefined = zone.instantOf(Date.parse(`${from}Z`)) - 1
  while (found.length < count && at !== undefined) {
    at = nextFiring(cron, at, zone)
    if (at !== undefined)
      found.push(new Date(at + zone.offsetAt(at)).toISOString().slice(0, 19).replace('T', ' '))
  }
  return found
}

const days = (expression: string, from: string, count: number) =>
  firings(`0 0 0 ${expression}`, `${from}T00:00:00`, count).map((time) => time.slice(0, 10))

/** Known firing times, as Quartz has them (platform §8). */
describe('a cron expression fires', () => {
  it.each([
    ['every five seconds from 0', '0/5 * * * * ?', ['00:00:00', '00:00:05', '00:00:10']],
    ['every ten seconds, without saying from when', '/10 * * * * ?', ['00:00:00', '00:00:10', '00:00:20']],
    ['every twenty minutes from 7', '0 7/20 * * * ?', ['00:07:00', '00:27:00', '00:47:00']],
    ['in ranges, lists and steps', '0 0 9-17/4,23 * * ?', ['09:00:00', '13:00:00', '17:00:00', '23:00:00']],
    [
      'in a range that goes round midnight',
      '0 0 22-1 * * ?',
      ['00:00:00', '01:00:00', '22:00:00', '23:00:00'],
    ],
  ])('%s: %s', (_what, expression, times) => {
    const found = firings(expression, '2026-01-01T00:00:00', times.length)
    expect(found.map((time) => time.slice(11))).toEqual(times)
  })

  it.each([
    ['1 is Sunday', '? * 1', '2026-01-01', ['2026-01-04', '2026-01-11']],
    ['6 is Friday', '? * 6', '2026-01-01', ['2026-01-02', '2026-01-09']],
    ['by name', '? * MON-WED', '2026-01-01', ['2026-01-05', '2026-01-06', '2026-01-07', '2026-01-12']],
    [
      'over the weekend',
      '? * FRI-SUN',
      '2026-01-01',
      ['2026-01-02', '2026-01-03', '2026-01-04', '2026-01-09'],
    ],
    ['the last day', 'L * ?', '2026-01-01', ['2026-01-31', '2026-02-28', '2026-03-31']],
    ['the last day of a leap year’s February', 'L FEB ?', '2028-01-01', ['2028-02-29']],
    ['three days before the last', 'L-3 * ?', '2026-01-01', ['2026-01-28', '2026-02-25']],
    ['the last weekday of the month', 'LW * ?', '2026-01-01', ['2026-01-30', '2026-02-27', '2026-03-31']],
    ['the weekday nearest to the 15th', '15W * ?', '2026-02-01', ['2026-02-16', '2026-03-16', '2026-04-15']],
    ['the weekday nearest to a first that is a Saturday', '1W * ?', '2026-08-01', ['2026-08-03']],
    ['the weekday nearest to a last that is a Sunday', '31W * ?', '2026-05-01', ['2026-05-29']],
    ['the last Friday', '? * 6L', '2026-01-01', ['2026-01-30', '2026-02-27']],
    ['the last Friday, by name', '? * FRIL', '2026-01-01', ['2026-01-30']],
    ['the third Friday', '? * 6#3', '2026-01-01', ['2026-01-16', '2026-02-20']],
    ['the fifth Monday, where there is one', '? * MON#5', '2026-01-01', ['2026-03-30', '2026-06-29']],
    ['Saturdays, for L alone', '? * L', '2026-01-01', ['2026-01-03', '2026-01-10']],
    ['the 31st, where there is one', '31 * ?', '2026-01-01', ['2026-01-31', '2026-03-31', '2026-05-31']],
    ['in some months', '1 JAN,6-7 ?', '2026-01-02', ['2026-06-01', '2026-07-01', '2027-01-01']],
    ['in some years', '1 1 ? 2027/2', '2026-01-01', ['2027-01-01', '2029-01-01']],
  ])('on %s: %s', (_what, expression, from, expected) => {
    expect(days(expression, from, expected.length)).toEqual(expected)
  })

  it('on no day that there is not', () => {
    expect(days('30 2 ?', '2026-01-01', 1)).toEqual([])
    expect(days('1 1 ? 1999', '2026-01-01', 1)).toEqual([])
  })
})

/** Each time that the clock shows, once: on 2026-03-29 the clock jumps from 2 to 3, on 2026-10-25 from 3 back to 2. */
describe('when the clock is put forward or back, a cron expression fires', () => {
  it.each([
    [
      'as much later where its time is skipped',
      '0 30 2 * * ?',
      '2026-03-28T12:00:00',
      ['2026-03-29 03:30:00', '2026-03-30 02:30:00'],
    ],
    [
      'once where its time is shown twice',
      '0 30 2 * * ?',
      '2026-10-24T12:00:00',
      ['2026-10-25 02:30:00', '2026-10-26 02:30:00'],
    ],
    [
      'once where a skipped time meets another',
      '0 30 2,3 * * ?',
      '2026-03-29T00:00:00',
      ['2026-03-29 03:30:00', '2026-03-30 02:30:00'],
    ],
    [
      'in order where a skipped time comes after one that is shown',
      '0 10,50 2-3 * * ?',
      '2026-03-29T00:00:00',
      ['2026-03-29 03:10:00', '2026-03-29 03:50:00', '2026-03-30 02:10:00'],
    ],
    [
      'every half hour, without a gap',
      '0 0/30 * * * ?',
      '2026-03-29T01:30:00',
      ['2026-03-29 01:30:00', '2026-03-29 03:00:00', '2026-03-29 03:30:00', '2026-03-29 04:00:00'],
    ],
  ])('%s: %s', (_what, expression, from, expected) => {
    expect(firings(expression, from, expected.length, berlin)).toEqual(expected)
  })

  it('its first showing is the earlier one', () => {
    const [first] = [nextFiring(parseCron('0 30 2 25 10 ?'), Date.UTC(2026, 9, 24), berlin)]
    expect(new Date(first as number).toISOString()).toBe('2026-10-25T00:30:00.000Z')
  })
})

describe('a cron expression is refused', () => {
  it.each([
    ['', /has 0 fields; a Quartz expression has 6 or 7/],
    ['* * * * *', /has 5 fields/],
    ['60 * * * * ?', /^seconds "60": 60 is out of range; allowed are 0–59$/],
    ['0 0 24 * * ?', /^hours "24"/],
    ['0 0 0 * * *', /exactly one of the two must be "\?"/],
    ['0 0 0 ? * ?', /exactly one of the two must be "\?"/],
    ['0 0 0 ? * 0', /^day-of-week "0": 0 is out of range; allowed are 1–7 or SUN–SAT$/],
    ['0 0 0 ? * MON#6', /once to five times/],
    ['0 0 0 ? FOO MON', /^month "FOO": "FOO" is no month; allowed are 1–12 or JAN–DEC$/],
    ['0 0/0 0 ? * MON', /the step "0" must be a whole number from 1/],
    ['0 1-2-3 0 ? * MON', /"1-2-3" is no range/],
    ['0 0 0 L-31 * ?', /at most 30 days back/],
    ['0 0 0 1 1 ? 1900', /^year "1900"/],
    ['0 0/60 * * * ?', /^minutes "0\/60": the step 60 is longer than the field/],
    ['0 , 0 ? * MON', /is no value, range or step/],
  ])('%j', (expression, message) => {
    expect(() => parseCron(expression)).toThrow(message)
  })
})
