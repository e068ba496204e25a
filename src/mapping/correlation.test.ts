import { describe, expect, it } from 'vitest'
import { parseFilter } from '../model/filter/parse.ts'
import { printFilter } from '../model/filter/print.ts'
import { parsePointer } from '../model/pointer.ts'
import { noScripts } from './call.ts'
import { treeFilter } from './correlation.ts'
import type { ExpressionTree, PropertyMapping } from './mapping.ts'

const property = (target: string, source: string, condition?: string): PropertyMapping => ({
  target: parsePointer(target),
  source: parsePointer(source),
  condition: condition ? { kind: 'filter', filter: parseFilter(condition) } : undefined,
  transform: undefined,
  default: undefined,
})
const properties = [
  property('mail', 'email'),
  property('name/last', 'sn'),
  property('badge', 'badge', '/object/kind eq "staff"'),
]
const any = (...operands: ExpressionTree['operands']): ExpressionTree => ({ operator: 'any', operands })
const all = (...operands: ExpressionTree['operands']): ExpressionTree => ({ operator: 'all', operands })

function filterOf(tree: ExpressionTree, source: object): string | undefined {
  const filter = treeFilter(
    tree,
    properties,
    { source: source as never, linkQualifier: 'default' },
    noScripts,
  )
  return filter && printFilter(filter)
}

/** engine §6.3, [D]. */
describe('an expression tree', () => {
  it.each([
    ['one name', any('mail'), { email: 'a@b.c' }, '/mail eq "a@b.c"'],
    ['any', any('mail', 'name/last'), { email: 'a@b.c', sn: 'X' }, '/mail eq "a@b.c" or /name/last eq "X"'],
    ['all', all('mail', 'name/last'), { email: 'a@b.c', sn: 'X' }, '/mail eq "a@b.c" and /name/last eq "X"'],
    ['a quote in the value', any('mail'), { email: 'a"b\\c' }, '/mail eq "a\\"b\\\\c"'],
    ['a name without value in any', any('mail', 'name/last'), { sn: 'X' }, '/name/last eq "X"'],
    ['a name without value in all', all('mail', 'name/last'), { sn: 'X' }, undefined],
    ['an empty value', any('mail'), { email: '' }, undefined],
    ['no value at all', any('mail', 'name/last'), {}, undefined],
    ['a property whose condition is false', any('badge', 'mail'), { badge: '7', email: 'm' }, '/mail eq "m"'],
    ['a property whose condition is true', any('badge'), { badge: '7', kind: 'staff' }, '/badge eq "7"'],
    [
      'a tree in a tree',
      any('mail', all('name/last', 'badge')),
      { email: 'm', sn: 'X', badge: '7', kind: 'staff' },
      '/mail eq "m" or (/name/last eq "X" and /badge eq "7")',
    ],
  ])('of %s: %o over %o asks %s', (_what, tree, source, filter) => {
    const asked = filterOf(tree, source)
    expect(asked === undefined ? undefined : parseFilter(asked)).toEqual(
      filter === undefined ? undefined : parseFilter(filter),
    )
  })
})
