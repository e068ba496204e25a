import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../model/json.ts'
import type { ManagedType, PropertySchema } from './type.ts'
import { unsupportedFeatures } from './unsupported.ts'

const pointersOf = (type: ManagedType) => unsupportedFeatures(type).map(({ pointer }) => pointer.join('/'))
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
  it.each(['onCreate', 'postUpdate', 'onRetrieve', 'onSync'])('with the hook %s is not', (name) => {
    expect(pointersOf({ name: 'user', [name]: { type: 'text/javascript', source: '1' } })).toEqual([name])
  })
  it.each<[string, JsonObject, string]>([
    ['a relationship', { type: 'relationship' }, 'type'],
    ['an array of relationships', { type: 'array', items: { type: 'relationship' } }, 'items/type'],
    ['a virtual property', { isVirtual: true }, 'isVirtual'],
    ['an encrypted property', { encryption: { key: 'k' } }, 'encryption'],
    ['a hashed property', { secureHash: { algorithm: 'SHA-256' } }, 'secureHash'],
    ['a private property', { scope: 'private' }, 'scope'],
    ['a property returned only on demand', { returnByDefault: false }, 'returnByDefault'],
    ['conditional policies', { conditionalPolicies: [{}] }, 'conditionalPolicies'],
    ['a property hook', { onStore: { source: '1' } }, 'onStore'],
    ['an unknown policy', { policies: [{ policyId: 'lucky' }] }, 'policies/0'],
    [
      'a policy with a broken expression',
      { policies: [{ policyId: 'regexpMatches', params: { regexp: '(' } }] },
      'policies/0',
    ],
    ['a broken pattern', { pattern: '(' }, 'pattern'],
    [
      'a feature below',
      { type: 'object', properties: { in: { isVirtual: true } } },
      'properties/in/isVirtual',
    ],
    [
      'unique below',
      { properties: { in: { policies: [{ policyId: 'unique' }] } } },
      'properties/in/policies/0',
    ],
  ])('with %s is not', (_what, declaration, place) => {
    expect(pointersOf(property(declaration))).toEqual([`schema/properties/it/${place}`])
  })
})
