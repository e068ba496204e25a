import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matches } from '../../model/filter/evaluate.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import { comparedPointers, joinable, TargetIndex } from './target-index.ts'

function indexOf(objects: Record<string, JsonObject>, ...pointers: string[]): TargetIndex {
  const index = new TargetIndex(pointers.map((pointer) => pointer.split('/')))
  for (const [id, object] of Object.entries(objects)) index.add(id, { ...object, _id: id })
  return index
}

const find = (index: TargetIndex, filter: string) =>
  [...(index.find(parseFilter(filter)) ?? ['?'])].toSorted()

describe('the index of a target set', () => {
  const index = indexOf(
    {
      a: { mail: 'x', name: { last: 'O' }, number: 7 },
      b: { mail: 'x', number: '7' },
      c: { mail: ['y', 'x'] },
      d: { mail: null },
    },
    'mail',
    'name/last',
    'number',
    '_id',
  )

  it.each([
    ['mail eq "x"', ['a', 'b', 'c']],
    ['mail eq "y"', ['c']],
    ['mail eq "X"', []],
    ['mail eq "none"', []],
    ['number eq 7', ['a']],
    ['number eq "7"', ['b']],
    ['name/last eq "O"', ['a']],
    ['_id eq "c"', ['c']],
    ['mail eq "x" and number eq 7', ['a']],
    ['mail eq "y" or number eq 7', ['a', 'c']],
    ['(mail eq "x" and number eq 7) or _id eq "d"', ['a', 'd']],
  ])('answers %s with %o', (filter, ids) => {
    expect(find(index, filter)).toEqual(ids)
  })

  it.each(['mail sw "x"', '!(mail eq "x")', 'mail pr', 'true', 'mail eq "x" or mail co "y"'])(
    'leaves %s to the target',
    (filter) => {
      expect(find(index, filter)).toEqual(['?'])
    },
  )

  it('follows what is written', () => {
    const changing = indexOf({ a: { mail: 'x' }, b: { mail: 'x' } }, 'mail')
    changing.remove('a', { mail: 'x' })
    expect(find(changing, 'mail eq "x"')).toEqual(['b'])
    changing.remove('b', { mail: 'x' })
    expect(find(changing, 'mail eq "x"')).toEqual([])
    changing.add('c', { mail: 'x' })
    expect(find(changing, 'mail eq "x"')).toEqual(['c'])
  })

  it('answers every joinable filter as evaluating it on each object does', () => {
    const value = fc.constantFrom('x', 'y', 7, true)
    const object = fc.record(
      { p: fc.oneof(value, fc.array(value, { maxLength: 2 }), fc.constant(null)), q: value },
      { requiredKeys: [] },
    )
    const equals = fc
      .record({ pointer: fc.constantFrom(['p'], ['q']), value })
      .map((compared): Filter => ({ kind: 'compare', operator: 'eq', ...compared }))
    const filter = fc.letrec<{ any: Filter }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        equals,
        fc.record({
          kind: fc.constantFrom('and' as const, 'or' as const),
          filters: fc.array(tie('any'), { minLength: 1, maxLength: 3 }),
        }),
      ),
    })).any
    fc.assert(
      fc.property(fc.array(object, { maxLength: 8 }), filter, (objects, asked) => {
        const byId = Object.fromEntries(objects.map((one, position) => [`o${position}`, one as JsonObject]))
        const expected = Object.keys(byId).filter((id) => matches(asked, byId[id] as JsonObject))
        expect(joinable(asked)).toBe(true)
        expect(comparedPointers(asked).length).toBeGreaterThan(0)
        expect([...(indexOf(byId, 'p', 'q').find(asked) ?? [])].toSorted()).toEqual(expected.toSorted())
      }),
    )
  })
})
