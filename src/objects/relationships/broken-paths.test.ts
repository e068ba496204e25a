import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { ManagedType } from '../type/type.ts'
import { brokenPaths } from './broken-paths.ts'

const to = (path: string) => ({
  type: 'array',
  items: { type: 'relationship', resourceCollection: [{ path }] },
})
const types = (queryConfig: JsonObject): ManagedType[] =>
  [
    {
      name: 'user',
      schema: {
        properties: {
          roles: to('managed/role'),
          systems: to('system/hr/account'),
          collected: { isVirtual: true, queryConfig },
        },
      },
    },
    { name: 'role', schema: { properties: { assignments: to('managed/assignment') } } },
    { name: 'assignment', schema: { properties: {} } },
  ] as ManagedType[]

describe('a queryConfig', () => {
  it.each<[what: string, queryConfig: JsonObject, message: string | undefined]>([
    ['along relationships', { referencedRelationshipFields: ['roles', 'assignments'] }, undefined],
    [
      'along several chains',
      { referencedRelationshipFields: [['roles'], ['roles', 'assignments']] },
      undefined,
    ],
    ['beyond what is known', { referencedRelationshipFields: ['systems', 'anything'] }, undefined],
    ['that is empty', {}, undefined],
    [
      'without a path',
      { referencedObjectFields: ['*'] },
      'queryConfig needs referencedRelationshipFields: the relationships to follow',
    ],
    [
      'with null',
      { referencedRelationshipFields: null },
      'queryConfig needs referencedRelationshipFields: the relationships to follow',
    ],
    [
      'misspelt',
      { referencedRelationshipFields: ['rolse'] },
      'rolse is no relationship of managed/user; did you mean roles?',
    ],
    [
      'misspelt further on',
      { referencedRelationshipFields: ['roles', 'asignments'] },
      'asignments is no relationship of managed/role; did you mean assignments?',
    ],
    [
      'in one chain of two',
      { referencedRelationshipFields: [['roles'], ['x']] },
      'x is no relationship of managed/user',
    ],
  ])('%s', (_what, queryConfig, message) => {
    expect(brokenPaths(types(queryConfig)).map(({ finding }) => finding.message)).toEqual(
      message === undefined ? [] : [message],
    )
  })
})
