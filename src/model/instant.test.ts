import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { datesAround, instantOf } from './instant.ts'
import { dateTimes } from './testing/arbitraries.ts'

describe('a date-time with a zone names an instant', () => {
  it.each([
    ['2026-03-01T09:30:00Z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01T09:30:00.123Z', '2026-03-01T09:30:00.123Z'],
    ['2026-03-01T09:30:00,5Z', '2026-03-01T09:30:00.500Z'],
    ['2026-03-01T09:30Z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01t09:30:00z', '2026-03-01T09:30:00.000Z'],
    ['2026-03-01T00:30:00+01:00', '2026-02-28T23:30:00.000Z'],
    ['2026-03-01T00:30:00+0530', '2026-02-28T19:00:00.000Z'],
    ['2026-12-31T23:30:00-05', '2027-01-01T04:30:00.000Z'],
    ['2024-02-29T12:00:00-00:00', '2024-02-29T12:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('%s is %s', (text, utc) => {
    expect(new Date(instantOf(text) ?? Number.NaN).toISOString()).toBe(utc)
  })
  it('to the microsecond', () => {
    const [one = 0, other = 0] = ['2026-03-01T09:30:00.000001Z', '2026-03-01T09:30:00.000002Z'].map(instantOf)
    expect(one).toBeLessThan(other)
  })
  it.each([
    '',
    '2026',
    '2026-03-01',
    '2026-03-01T09:30:00',
    '2026-03-01 09:30:00Z',
    '2026-02-29T12:00:00Z',
    '2026-04-31T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-00-01T12:00:00Z',
    '2026-03-00T12:00:00Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T12:60:00Z',
    '2026-03-01T12:00:60Z',
    '2026-03-01T12:00:00+24:00',
    '2026-03-01T12:00:00+01:60',
    '2026-03-01T12:00:00.Z',
    '2026-03-01T12:00:00Z ',
    '2026-03-01T12:00:00Z\n',
    '20260301T120000Z',
    '20260301120000Z',
    '+002026-03-01T12:00:00Z',
  ])('%j does not', (text) => {
    expect(instantOf(text)).toBeUndefined()
  })
})

describe('the dates around an instant', () => {
  it('are those of every text that names it, whatever its zone', () => {
    fc.assert(
      fc.property(dateTimes, (text) => {
        const [from, to] = datesAround(instantOf(text) ?? Number.NaN) ?? []
        expect(from && text >= from && to && text < to).toBe(true)
      }),
    )
  })
  it('end where years have four digits', () => {
    expect(datesAround(Date.parse('9999-12-31T12:00:00Z'))).toBeUndefined()
    expect(datesAround(Date.parse('0000-01-01T12:00:00Z'))).toBeUndefined()
  })
})
