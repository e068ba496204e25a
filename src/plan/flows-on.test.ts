import { describe, expect, it } from 'vitest'
import type { Mapping } from '../mapping/mapping.ts'
import type { PlanEntry } from './entry.ts'
import { isToldOf, mappingsBehind } from './flows-on.ts'

const entry = (given: Partial<PlanEntry>) => ({ writes: true, changes: [], ...given }) as unknown as PlanEntry
const change = (...pointer: string[]) => ({ pointer, before: 1, after: 2 })
const mapping = (given: object) => ({ changes: { enabled: true, ...given } }) as unknown as Mapping

describe('a mapping is told of', () => {
  it.each<
    [what: string, properties: readonly string[][] | undefined, given: Partial<PlanEntry>, told: boolean]
  >([
    ['a create', [['mail']], { action: 'CREATE' }, true],
    ['a delete', [['mail']], { action: 'DELETE' }, true],
    ['a change of what it watches', [['mail']], { action: 'UPDATE', changes: [change('mail')] }, true],
    [
      'a change within what it watches',
      [['name']],
      { action: 'UPDATE', changes: [change('name', 'last')] },
      true,
    ],
    ['no other change', [['mail']], { action: 'UPDATE', changes: [change('phone')] }, false],
    ['any change, if it watches nothing', undefined, { action: 'UPDATE', changes: [change('phone')] }, true],
    ['no link', undefined, { action: 'LINK' }, false],
    ['nothing that fails', undefined, { action: 'CREATE', refusal: 'no' }, false],
    [
      'nothing that is not written',
      undefined,
      { action: 'UPDATE', writes: false, changes: [change('a')] },
      false,
    ],
  ])('%s', (_what, properties, given, told) => {
    expect(isToldOf(mapping({ properties }), entry(given))).toBe(told)
  })
})

it('only mappings of a managed target that are on are behind it', () => {
  const all = [
    { name: 'a', source: 'managed/user', changes: { enabled: true } },
    { name: 'b', source: 'managed/user', changes: { enabled: false } },
    { name: 'c', source: 'managed/role', changes: { enabled: true } },
    { name: 'd', source: 'system/x/y', changes: { enabled: true } },
  ] as unknown as Mapping[]
  const names = (target: string) => mappingsBehind({ target }, all).map(({ name }) => name)
  expect(names('managed/user')).toEqual(['a'])
  expect(names('system/x/y')).toEqual([])
})
