import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import type { ManagedType, PropertySchema } from './type.ts'
import { unsupportedFeatures } from './unsupported.ts'

const pointersOf = (type: ManagedType) =>
  unsupportedFeatures(type, new Map()).map(({ place }) => place.join('/'))
const property = (it: JsonObject): ManagedType => ({
  name: 'user',
  schema: { properties: { it: it as PropertySchema } },
})

describe('a type', () => {
  it('of plain properties is supported', () => {
    const plain = {
      type: 'string',
      isVirtual: false,
      returnByDefault: true,
      scope: 'public',
      searchable: true,
      conditionalPolicies: [],
      policies: [{ policyId: 'unique' }, { policyId: 'minimum-length', params: { minLength: 2 } }],
    }
    expect(pointersOf(property(plain))).toEqual([])
    expect(pointersOf({ name: 'user', actions: {} })).toEqual([])
  })
  it('with hooks, actions, encrypted, hashed, private and virtual properties is supported', () => {
    const script = { type: 'text/javascript', source: '1' }
    const hooks = {
      onCreate: script,
      postUpdate: script,
      onRetrieve: script,
      onSync: script,
      actions: { go: script },
    }
    expect(pointersOf({ name: 'user', ...hooks })).toEqual([])
    for (const one of [
      { isVirtual: true, onRetrieve: script, returnByDefault: true },
      { encryption: { key: 'k' }, scope: 'private' },
      { secureHash: { algorithm: 'SHA-256' } },
      { onStore: script, onValidate: script, returnByDefault: false },
      {
        type: 'relationship',
        notifySelf: true,
        resourceCollection: [{ path: 'managed/user', notify: true }],
      },
      { type: 'array', items: { type: 'relationship', validate: true }, notifyRelationships: ['others'] },
      { type: 'array', isVirtual: true, queryConfig: { referencedRelationshipFields: ['roles'] } },
    ])
      expect(pointersOf(property(one))).toEqual([])
  })
  it.each<[string, JsonObject, string]>([
    ['a property both encrypted and hashed', { encryption: { key: 'k' }, secureHash: {} }, 'secureHash'],
    ['a relationship below', { properties: { in: { type: 'relationship' } } }, 'properties/in/type'],
    ['a query below', { properties: { in: { queryConfig: { a: 1 } } } }, 'properties/in/queryConfig'],
    ['an unknown policy', { policies: [{ policyId: 'lucky' }] }, 'policies/0'],
    [
      'a policy with a broken expression',
      { policies: [{ policyId: 'regexpMatches', params: { regexp: '(' } }] },
      'policies/0',
    ],
    [
      'an unknown policy under a condition',
      { conditionalPolicies: [{ condition: 'a eq 1', policies: [{ policyId: 'lucky' }] }] },
      'conditionalPolicies/0/policies/0',
    ],
    ['an unknown fallback policy', { fallbackPolicies: [{ policyId: 'lucky' }] }, 'fallbackPolicies/0'],
    ['a broken pattern', { pattern: '(' }, 'pattern'],
    [
      'unique below',
      { properties: { in: { policies: [{ policyId: 'unique' }] } } },
      'properties/in/policies/0',
    ],
  ])('with %s is not', (_what, declaration, place) => {
    expect(pointersOf(property(declaration))).toEqual([`schema/properties/it/${place}`])
  })
})
