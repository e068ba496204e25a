import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from './json.ts'
import { compareBy, compareText, parseSortKeys } from './sort.ts'
import { objects } from './testing/arbitraries.ts'

describe('sort keys', () => {
  it('take a sign; a blank is a plus that was not escaped', () => {
    expect(parseSortKeys('+a,-b/c, d,e')).toEqual([
      { pointer: ['a'], descending: false },
      { pointer: ['b', 'c'], descending: true },
      { pointer: ['d'], descending: false },
      { pointer: ['e'], descending: false },
    ])
  })

  it.each(['', 'a,', '-', '+/', ',a'])('%j is refused because a key names no property', (text) => {
    expect(() => parseSortKeys(text)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
  })
})

describe('the order of objects', () => {
  const sorted = (keys: string, rows: JsonObject[]) => rows.sort(compareBy(parseSortKeys(keys)))

  it('ends with null and absent, whatever the direction', () => {
    const rows = [{ _id: '1' }, { _id: '2', n: 2 }, { _id: '3', n: null }, { _id: '4', n: 10 }]
    expect(sorted('n', rows).map((row) => row._id)).toEqual(['2', '4', '1', '3'])
    expect(sorted('-n', rows).map((row) => row._id)).toEqual(['4', '2', '1', '3'])
  })

  it('falls back to _id', () => {
    expect(
      sorted('-n', [
        { _id: 'b', n: 1 },
        { _id: 'a', n: 1 },
      ]).map((row) => row._id),
    ).toEqual(['a', 'b'])
  })

  it('puts booleans before numbers before strings before arrays and objects', () => {
    const values = [[1], 'a', 2, true, false, {}]
    const rows = values.map((n, i) => ({ _id: String(i), n }))
    expect(sorted('n', rows).map((row) => row.n)).toEqual([false, true, 2, 'a', [1], {}])
  })

  it('is a total order', () => {
    const compare = compareBy(parseSortKeys('a,-b/c'))
    fc.assert(
      fc.property(objects, objects, objects, (x, y, z) => {
        expect(Math.sign(compare(x, y))).toBe(-Math.sign(compare(y, x)) + 0)
        if (compare(x, y) <= 0 && compare(y, z) <= 0) expect(compare(x, z)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe('the order of strings', () => {
  it('is that of their UTF-8 bytes', () => {
    const wellFormed = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed())
    fc.assert(
      fc.property(wellFormed, wellFormed, (a, b) => {
        expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
    )
    expect(compareText('～', '😀')).toBeLessThan(0)
  })
})
