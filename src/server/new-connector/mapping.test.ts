import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../model/json.ts'
import { mappingSkeleton } from './mapping.ts'

const text = { type: 'string' }
const list = { type: 'array', items: { type: 'string' } }

function skeleton(source: JsonObject, target: JsonObject, required: readonly string[] = []) {
  const content = { schema: { properties: target, required: [...required] } }
  const made = mappingSkeleton('hr', 'account', { properties: source }, { name: 'user', content })
  const properties = Array.isArray(made?.mapping.properties) ? made.mapping.properties : []
  return { made, pairs: properties.map((one) => `${Object(one).source} → ${Object(one).target}`) }
}

describe('a beginning of a mapping', () => {
  it.each<[what: string, source: JsonObject, target: JsonObject, pairs: readonly string[]]>([
    ['the same name', { sn: text }, { sn: text }, ['sn → sn']],
    [
      'another spelling',
      { 'Last name': text, FIRST_NAME: text },
      { lastName: text, firstName: text },
      ['Last name → lastName', 'FIRST_NAME → firstName'],
    ],
    [
      'another word',
      { email: text, last_name: text },
      { mail: text, sn: text },
      ['email → mail', 'last_name → sn'],
    ],
    [
      'the name of the system, for who logs in',
      { code: { ...text, nativeName: '__NAME__' } },
      { userName: text },
      ['code → userName'],
    ],
    [
      'the exact name before one that means the same',
      { uid: text, userName: text },
      { userName: text },
      ['userName → userName'],
    ],
    ['a text that may be absent', { mail: text }, { mail: { type: ['string', 'null'] } }, ['mail → mail']],
    ['a list, by its first value', { mail: list }, { mail: text }, ['mail → mail']],
  ])('pairs %s', (_, source, target, pairs) => {
    expect(skeleton(source, target).pairs).toEqual(pairs)
  })

  it.each<[what: string, source: JsonObject, target: JsonObject]>([
    ['what is secret', { password: { ...text, flags: ['NOT_READABLE'] } }, { password: text }],
    ['values of other types', { age: { type: 'integer' } }, { age: text }],
    ['what has nothing to do with each other', { shoeSize: text }, { mail: text }],
  ])('leaves out %s: then there is none', (_, source, target) => {
    expect(skeleton(source, target).made).toBeUndefined()
  })

  it('correlates by what tells people apart, deletes nothing, and says what is missing', () => {
    const { made } = skeleton({ mail: text, code: text }, { mail: text, sn: text }, ['sn', 'mail'])
    expect(made?.mapping.correlationQuery).toMatchObject([{ expressionTree: { any: ['mail'] } }])
    expect(JSON.stringify(made?.mapping.policies)).not.toContain('DELETE')
    expect(made?.notes).toEqual([expect.stringContaining('requires sn')])
    expect(skeleton({ title: text }, { title: text }).made?.notes).toEqual([
      expect.stringContaining('correlationQuery'),
    ])
  })
})
