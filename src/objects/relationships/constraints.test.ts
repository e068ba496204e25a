import { describe, expect, it } from 'vitest'
import { holds, nextBoundary, parseInterval, requireConstraints } from './constraints.ts'

const at = (time: string) => Date.parse(time)
const span = (text: string) => {
  const interval = parseInterval(text)
  return interval && [interval.start, interval.end].map((time) => new Date(time).toISOString())
}

describe('an interval', () => {
  it.each<[string, string, string]>([
    ['2026-01-01T00:00:00Z/2026-02-01T00:00:00Z', '2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z'],
    ['2026-01-01T00:00:00.000+02:00/2026-01-02', '2025-12-31T22:00:00.000Z', '2026-01-02T00:00:00.000Z'],
    ['2026-01-01T10:00/2026-01-01T11:00-0530', '2026-01-01T10:00:00.000Z', '2026-01-01T16:30:00.000Z'],
    ['2026-01-31T00:00:00Z/P1M', '2026-01-31T00:00:00.000Z', '2026-03-03T00:00:00.000Z'],
    ['2026-01-01T00:00:00Z/P1Y2W3DT4H5M6.5S', '2026-01-01T00:00:00.000Z', '2027-01-18T04:05:06.500Z'],
    ['P30D/2026-03-03T00:00:00Z', '2026-02-01T00:00:00.000Z', '2026-03-03T00:00:00.000Z'],
  ])('%s begins at %s and ends at %s', (text, start, end) => {
    expect(span(text)).toEqual([start, end])
  })
  it.each([
    ...['', '/', '2026-01-01', '2026-01-01/', 'P1D/P1D', '2026-01-02/2026-01-01', '2026-13-01/2026-14-01'],
    ...['2026-01-01/P', '2026-01-01/P1DT', 'tomorrow/P1D', '2026-01-01/2026-01-02/2026-01-03'],
  ])('is not %j', (text) => {
    expect(parseInterval(text)).toBeUndefined()
  })
})

describe('temporal constraints', () => {
  const constraints = [{ duration: '2026-01-01T00:00:00Z/2026-02-01T00:00:00Z' }]
  it('hold from the start on and not at the end; without any, always; what is no interval, never', () => {
    const times = [
      '2025-12-31T23:59:59.999Z',
      '2026-01-01T00:00:00Z',
      '2026-01-31T23:59:59.999Z',
      '2026-02-01T00:00:00Z',
    ]
    expect(times.map((time) => holds(constraints, at(time)))).toEqual([false, true, true, false])
    expect([undefined, null, []].map((none) => holds(none, 0))).toEqual([true, true, true])
    expect(holds([{ duration: 'some day' }], 0)).toBe(false)
  })
  it('change next at the start, then at the end, then never', () => {
    const next = (time: string) => nextBoundary(constraints, at(time))
    expect(next('2025-12-01T00:00:00Z')).toBe(at('2026-01-01T00:00:00Z'))
    expect(next('2026-01-01T00:00:00Z')).toBe(at('2026-02-01T00:00:00Z'))
    expect(next('2026-02-01T00:00:00Z')).toBeUndefined()
  })
  it.each([['x'], [[{}]], [[{ duration: 1 }]], [[{ duration: '2026/2025' }]]])('%j are refused', (wrong) => {
    expect(() => requireConstraints(wrong, 'managed/role')).toThrow(/^managed\/role: /)
  })
})
