import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isoDate, ticksOf } from './dates.ts'

describe('a date of Active Directory', () => {
  it.each(['0', '9223372036854775807'])('is never with %s', (ticks) => {
    expect(isoDate(ticks)).toBeUndefined()
  })

  it.each([
    ['116444736000000000', '1970-01-01T00:00:00.000Z'],
    ['134403262419440000', '2026-11-28T07:57:21.944Z'],
    ['134403262419444590', '2026-11-28T07:57:21.944459Z'],
    ['134403262419444591', '2026-11-28T07:57:21.9444591Z'],
  ])('%s is %s, without a digit lost', (ticks, text) => {
    expect(isoDate(ticks)).toBe(text)
    expect(ticksOf(text)).toBe(ticks)
  })

  it('comes back as it was, whatever it is', () => {
    const years = fc.bigInt({ min: 1n, max: 2_650_467_743_999_999_999n })
    fc.assert(fc.property(years, (ticks) => ticksOf(isoDate(`${ticks}`) ?? '') === `${ticks}`))
  })

  it.each([
    ['2026-12-31', '2026-12-31T00:00:00.000Z'],
    ['2026-12-31T01:00:00+01:00', '2026-12-31T00:00:00.000Z'],
    ['2026-12-31T01:00+0100', '2026-12-31T00:00:00.000Z'],
    ['2026-12-31T00:00:00', '2026-12-31T00:00:00.000Z'],
  ])('may be written as %s', (text, same) => {
    expect(isoDate(ticksOf(text))).toBe(same)
  })

  it.each(['', 'tomorrow', '2026-13-01', '31.12.2026', '1600-01-01', '134403262419444590'])(
    'is not %j',
    (text) => {
      expect(ticksOf(text)).toBeUndefined()
    },
  )
})
