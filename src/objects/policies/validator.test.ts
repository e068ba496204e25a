import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../model/json.ts'
import type { ObjectSchema, PolicyReference, PropertySchema } from '../type/type.ts'
import { compileValidator } from './validator.ts'

function violations(
  schema: ObjectSchema,
  object: JsonObject,
  only?: readonly string[],
): Record<string, string[]> {
  const failed = compileValidator(schema)(object, only && new Set(only))
  return Object.fromEntries(
    failed.map(({ property, policyRequirements }) => [
      property,
      policyRequirements.map(({ policyRequirement }) => policyRequirement),
    ]),
  )
}

const ofProperty = (property: PropertySchema, value: Json, others: JsonObject = {}) =>
  violations({ properties: { it: property } }, { ...others, it: value }).it ?? []

describe('a required property', () => {
  const schema: ObjectSchema = {
    required: ['name', 'undeclared'],
    properties: { name: { type: 'string' }, other: { type: 'string' }, none: { type: ['string', 'null'] } },
  }
  it.each<[string, JsonObject, Record<string, string[]>]>([
    ['there', { name: 'a', undeclared: 1 }, {}],
    ['absent', { undeclared: 1 }, { name: ['REQUIRED'] }],
    ['null', { name: null, undeclared: 1 }, { name: ['REQUIRED'] }],
    ['empty', { name: '', undeclared: 1 }, { name: ['REQUIRED'] }],
    ['not declared', { name: 'a' }, { undeclared: ['REQUIRED'] }],
  ])('%s', (_case, object, expected) => {
    expect(violations(schema, object)).toEqual(expected)
  })
  it('that lists the type null may be null', () => {
    expect(violations({ ...schema, required: ['none'] }, { none: null })).toEqual({})
  })
  it('is not found among what every object inherits', () => {
    expect(violations({ required: ['constructor'] }, {})).toEqual({ constructor: ['REQUIRED'] })
  })
})

describe('a property of which older files say whether it is required', () => {
  it('is or is not', () => {
    const older = (required: boolean) => ({
      properties: { a: { type: 'string', required: required as never } },
    })
    expect(violations(older(false), {})).toEqual({})
    expect(violations(older(true), {})).toEqual({ a: ['REQUIRED'] })
  })
})

describe('a property that is not required', () => {
  it.each([
    { type: 'string' },
    { minLength: 3 },
    { pattern: '^a' },
    { policies: [{ policyId: 'valid-date' }] },
  ])('may be null: %j', (property) => {
    expect(ofProperty(property, null)).toEqual([])
  })
})

describe('a pattern', () => {
  it('fails for a text that its pattern takes too long for, and for no other', () => {
    const property = { type: 'string', pattern: '^(a+)+$' }
    const long = `${'a'.repeat(40)}!`
    const slow = expect.objectContaining({ code: 'BAD_REQUEST' })
    expect(() => ofProperty(property, long)).toThrow(slow)
    const params = { regexp: '^(a|aa)+$' }
    const policies = [{ policyId: 'regexpMatches', params }]
    expect(() => ofProperty({ policies }, long)).toThrow(slow)
    expect(ofProperty(property, 'aaa')).toEqual([])
    expect(ofProperty({ policies }, 'aaa')).toEqual([])
  })
})

describe('the type', () => {
  it.each<[string | string[], Json, boolean]>([
    ['string', 'a', true],
    ['string', 1, false],
    ['number', 1.5, true],
    ['number', '1', false],
    ['integer', 1, true],
    ['integer', 1.5, false],
    ['boolean', false, true],
    ['boolean', 'false', false],
    ['array', [], true],
    ['array', {}, false],
    ['object', {}, true],
    ['object', [], false],
    [['string', 'array'], [], true],
    [['string', 'array'], 1, false],
  ])('%j: %j is valid: %j', (type, value, valid) => {
    expect(ofProperty({ type }, value)).toEqual(valid ? [] : ['VALID_TYPE'])
  })
})

describe('a policy', () => {
  const holds = (policy: PolicyReference, value: Json, others?: JsonObject) =>
    ofProperty({ policies: [policy] }, value, others)
  it.each<[string, JsonObject, Json, string | undefined]>([
    ['minimum-length', { minLength: 3 }, 'ab', 'MIN_LENGTH'],
    ['minimum-length', { minLength: 3 }, 'abc', undefined],
    ['maximum-length', { maxLength: 3 }, 'abcd', 'MAX_LENGTH'],
    ['maximum-length', { maxLength: 3 }, 'abc', undefined],
    ['regexpMatches', { regexp: '^A', flags: 'ig' }, 'abc', undefined],
    ['regexpMatches', { regexp: '^A' }, 'abc', 'MATCH_REGEXP'],
    ['valid-type', { types: ['string'] }, 1, 'VALID_TYPE'],
    ['valid-email-address-format', {}, 'zoë.b+c@example.co.uk', undefined],
    ['valid-email-address-format', {}, 'zoë@', 'VALID_EMAIL_ADDRESS_FORMAT'],
    ['valid-email-address-format', {}, 'a b@example.com', 'VALID_EMAIL_ADDRESS_FORMAT'],
    ['valid-date', {}, '2026-02-03', undefined],
    ['valid-date', {}, 'soon', 'VALID_DATE'],
    ['valid-phone-format', {}, '+49 (30) 123-45', undefined],
    ['valid-phone-format', {}, 'call me', 'VALID_PHONE_FORMAT'],
    ['valid-name-format', {}, "Zoë O'Neil-Łukasz", undefined],
    ['valid-name-format', {}, 'R2D2', 'VALID_NAME_FORMAT'],
    ['at-least-X-capitals', { numCaps: 2 }, 'AbC', undefined],
    ['at-least-X-capitals', { numCaps: 2 }, 'Abc', 'AT_LEAST_X_CAPITAL_LETTERS'],
    ['at-least-X-numbers', { numNums: 1 }, 'a1', undefined],
    ['at-least-X-numbers', { numNums: 1 }, 'a', 'AT_LEAST_X_NUMBERS'],
    ['cannot-contain-characters', { forbiddenChars: ['/', '*'] }, 'a/b', 'CANNOT_CONTAIN_CHARACTERS'],
    ['cannot-contain-characters', { forbiddenChars: '/*' }, 'a*b', 'CANNOT_CONTAIN_CHARACTERS'],
    ['cannot-contain-characters', { forbiddenChars: ['/'] }, 'a*b', undefined],
    ['cannot-contain-others', { disallowedFields: 'sn,user' }, 'xANNx', 'CANNOT_CONTAIN_OTHERS'],
    ['cannot-contain-others', { disallowedFields: ['sn'] }, 'bob', undefined],
    ['cannot-contain-duplicates', {}, 'abca', 'CANNOT_CONTAIN_DUPLICATES'],
    ['cannot-contain-duplicates', {}, 'abc', undefined],
    ['required', {}, '', 'REQUIRED'],
    ['not-empty', {}, '', 'REQUIRED'],
    ['not-empty', {}, 'a', undefined],
  ])('%s %j: %j gives %s', (policyId, params, value, expected) => {
    expect(holds({ policyId, params }, value, { user: 'Ann' })).toEqual(expected ? [expected] : [])
  })
  it('answers the same every time', () => {
    const validate = compileValidator({
      properties: { it: { policies: [{ policyId: 'regexpMatches', params: { regexp: 'a', flags: 'g' } }] } },
    })
    expect([1, 2, 3].map(() => validate({ it: 'a' }).length)).toEqual([0, 0, 0])
  })
})

describe('a failure', () => {
  it('has the documented shape', () => {
    const schema = { properties: { password: { type: 'string', minLength: 8, pattern: '\\d' } } }
    expect(compileValidator(schema)({ password: 'short' })).toEqual([
      {
        property: 'password',
        policyRequirements: [
          { policyRequirement: 'MIN_LENGTH', params: { minLength: 8 } },
          { policyRequirement: 'MATCH_REGEXP', params: { regexp: '\\d' } },
        ],
      },
    ])
  })
  it('names what is below an object or array by its path', () => {
    const schema: ObjectSchema = {
      properties: {
        address: { type: 'object', required: ['city'], properties: { zip: { minLength: 5 } } },
        phones: { type: 'array', items: { type: 'object', properties: { number: { type: 'string' } } } },
      },
    }
    expect(
      violations(schema, { address: { zip: '1' }, phones: [{ number: '1' }, { number: 2 }, 'x'] }),
    ).toEqual({
      'address/zip': ['MIN_LENGTH'],
      'address/city': ['REQUIRED'],
      'phones/1/number': ['VALID_TYPE'],
      'phones/2': ['VALID_TYPE'],
    })
  })
  it('concerns only the properties asked for', () => {
    const schema: ObjectSchema = { required: ['a', 'b'], properties: {} }
    expect(violations(schema, {}, ['b'])).toEqual({ b: ['REQUIRED'] })
  })
})
