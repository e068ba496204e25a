import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { compileType, plainParts } from '../type/compile.ts'
import { placesOf } from '../type/places.ts'
import type { ConditionalPolicies, ManagedType } from '../type/type.ts'
import { conditionalValidator } from './conditional.ts'

const minimum = (minLength: number) => [{ policyId: 'minimum-length', params: { minLength } }]
const typeWith = (...conditionalPolicies: ConditionalPolicies[]): ManagedType => ({
  name: 'user',
  schema: { properties: { word: { conditionalPolicies, fallbackPolicies: minimum(2) } } },
})
const contractors = { condition: 'kind eq "contractor"', dependencies: ['kind'], policies: minimum(9) }
const abroad = { condition: '!(country eq "DE")', dependencies: ['country'], policies: minimum(5) }

describe('policies under conditions that are filters', () => {
  const validate = conditionalValidator(placesOf(typeWith(contractors, abroad)), () => true)
  it.each<[string, JsonObject, number[]]>([
    ['count while one holds', { word: 'abc', kind: 'contractor' }, [9]],
    ['count together', { word: 'abc', kind: 'contractor', country: 'FR' }, [9, 5]],
    ['give way to the fallback when none holds', { word: 'a', kind: 'staff', country: 'DE' }, [2]],
    ['do not hold without what they depend on', { word: 'abc' }, []],
  ])('%s', (_what, object, expected) => {
    const lengths = validate(object).flatMap(({ policyRequirements }) =>
      policyRequirements.map(({ params }) => params?.minLength),
    )
    expect(lengths).toEqual(expected)
  })
  it('are asked only about what a patch touches', () => {
    expect(validate({ word: 'a' }, new Set(['kind']))).toEqual([])
  })
  it('leave pages whole: only scripts are run object by object', () => {
    const isTriggered = (type: ManagedType) => compileType(type, true, plainParts).alone.create
    expect(isTriggered(typeWith(contractors, abroad))).toBe(false)
    const script = { type: 'text/javascript', source: 'true' }
    expect(isTriggered(typeWith({ ...contractors, condition: script }))).toBe(true)
    expect(isTriggered(typeWith({ ...contractors, policies: [{ policyId: 'own' }] }))).toBe(true)
  })
})
