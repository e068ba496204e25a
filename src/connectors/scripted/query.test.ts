import { expect, it } from 'vitest'
import { parseFilter } from '../../model/filter/parse.ts'
import { askable, queryOf } from './query.ts'

const leaf = (operation: string, left: string, right: unknown) => ({ operation, left, right, not: false })
const a = leaf('EQUALS', 'a', '1')
const b = leaf('CONTAINS', 'b', '2')

it.each([
  ['true', null],
  ['a eq "1"', a],
  ['_id eq "7"', leaf('EQUALS', '__UID__', '7')],
  ['n ge 5', leaf('GREATERTHANOREQUAL', 'n', 5)],
  ['a eq "1" and b co "2"', { operation: 'AND', left: a, right: b }],
  ['a eq "1" or b co "2"', { operation: 'OR', left: a, right: b }],
  // What cannot be told is left out of an "and", and leaves nothing of an "or".
  ['a eq "1" and c pr', a],
  ['a eq "1" or c pr', null],
  ['a eq "1" and !(b co "2")', a],
  ['t gt "2026-01-31T08:05:00Z"', null],
])('asks scripts for %s', (filter, expected) => {
  expect(queryOf(askable(parseFilter(filter)))).toEqual(expected)
})

it('asks for many ids in a tree that is not deep', () => {
  const ids = Array.from({ length: 100 }, (_, n) => String(n))
  const filter = { kind: 'compare', operator: 'in', pointer: ['_id'], value: ids } as const
  const depth = (node: unknown): number => {
    const { left, operation } = Object(node)
    return operation === 'OR' ? 1 + depth(left) : 0
  }
  expect(depth(queryOf(filter))).toBe(7)
  expect(JSON.stringify(queryOf(filter)).match(/EQUALS/g)).toHaveLength(100)
})
