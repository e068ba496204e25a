import { describe, expect, it } from 'vitest'
import { noScripts } from '../mapping/call.ts'
import { compileMapping } from '../mapping/compile.ts'
import type { Mapping } from '../mapping/mapping.ts'
import { everything } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { qualifiers, question, type SourceInQuestion } from './question.ts'

const script = { type: 'text/javascript', source: '…' }

function mapping(configuration: JsonObject): Mapping {
  const content = { name: 'm', source: 'system/hr/account', target: 'managed/user', ...configuration }
  const { mapping: compiled, errors } = compileMapping(content, [{ name: 'm', content }])
  if (!compiled) throw new Error(errors.map(({ message }) => message).join('; '))
  return compiled
}

const asked = (given: Partial<SourceInQuestion> = {}): SourceInQuestion => ({
  source: { _id: '1', mail: 'ann@x', kind: 'staff' },
  linkQualifier: 'default',
  correlates: true,
  ...given,
})

type Lambdas = Record<string, (variables: Readonly<Record<string, unknown>>) => Json | undefined>
const scripts = (lambdas: Lambdas) => (name: string, variables: Readonly<Record<string, unknown>>) =>
  lambdas[name]?.(variables)

describe('a source object qualifies', () => {
  it.each<[when: string, configuration: JsonObject, lambdas: Lambdas, disqualifiedBy: string | undefined]>([
    ['if no rule says otherwise', {}, {}, undefined],
    ['if validSource says true', { validSource: script }, { validSource: () => true }, undefined],
    ['unless validSource says false', { validSource: script }, { validSource: () => false }, 'validSource'],
    ['if sourceCondition holds', { sourceCondition: '/source/kind eq "STAFF"' }, {}, undefined],
    ['unless sourceCondition does not', { sourceCondition: '/source/kind eq "x"' }, {}, 'sourceCondition'],
    [
      'unless sourceCondition is a script that says something else than true',
      { sourceCondition: script },
      { sourceCondition: () => 'true' },
      'sourceCondition',
    ],
    [
      'by the first rule that says no',
      { validSource: script, sourceCondition: '/source/kind eq "x"' },
      { validSource: () => false },
      'validSource',
    ],
  ])('%s', (_when, configuration, lambdas, disqualifiedBy) => {
    expect(question(asked(), mapping(configuration), scripts(lambdas))).toEqual({
      qualifies: disqualifiedBy === undefined,
      disqualifiedBy,
      correlation: null,
    })
  })

  it.each([['yes'], [1], [null], [undefined]])('not by %o: validSource must say a boolean', (value) => {
    expect(() => question(asked(), mapping({ validSource: script }), () => value)).toThrow(
      /^Expecting boolean value from validSource/,
    )
  })
})

describe('consent', () => {
  const withConsent = { ...mapping({ validSource: script }), consentRequired: true }
  it.each([
    ['given', [{ mapping: 'm' }], true],
    ['given in a list in a list', [[{ mapping: 'm' }]], true],
    ['given for another mapping', [{ mapping: 'other' }], false],
    ['not given', undefined, false],
  ])('%s decides, and without it no script sees the object', (_what, consentedMappings, qualifies) => {
    const seen: string[] = []
    const call = (name: string) => seen.push(name) > 0
    const source = { _id: '1', consentedMappings } as JsonObject
    expect(question(asked({ source }), withConsent, call)).toMatchObject({
      qualifies,
      ...(qualifies ? {} : { disqualifiedBy: 'consentRequired' }),
    })
    expect(seen).toEqual(qualifies ? ['validSource'] : [])
  })
})

describe('a source object that is gone', () => {
  const both = mapping({ validSource: script, sourceCondition: 'false', correlationQuery: script })
  it('is asked for validSource alone, as it was, and looked for as it was', () => {
    const seen: unknown[] = []
    const call = (name: string, { source }: Readonly<Record<string, unknown>>) => {
      seen.push([name, source])
      return name === 'validSource' ? true : { _queryFilter: 'mail eq "old@x"' }
    }
    const oldSource = { _id: '1', mail: 'old@x' }
    expect(question(asked({ source: null, oldSource }), both, call)).toEqual({
      qualifies: true,
      correlation: { kind: 'filter', filter: parseFilter('mail eq "old@x"'), resourceName: 'managed/user' },
    })
    expect(seen).toEqual([
      ['validSource', oldSource],
      ['correlationQuery', oldSource],
    ])
  })

  it('and of which nothing is known is asked nothing', () => {
    expect(question(asked({ source: null }), both, noScripts)).toEqual({ qualifies: true, correlation: null })
  })
})

describe('the target is asked', () => {
  const properties = [{ source: 'mail', target: 'mail' }]
  const tree = { any: ['mail'] }
  it.each<[what: string, configuration: JsonObject, answer: Json | undefined, correlation: unknown]>([
    ['nothing where no correlation is configured', {}, undefined, null],
    [
      'what the correlationQuery says',
      { correlationQuery: script },
      { _queryFilter: 'a eq 1' },
      { kind: 'filter', filter: parseFilter('a eq 1'), resourceName: 'managed/user' },
    ],
    [
      'elsewhere if it says so',
      { correlationQuery: script },
      { _queryFilter: 'a eq 1', resourceName: 'managed/role' },
      { kind: 'filter', filter: parseFilter('a eq 1'), resourceName: 'managed/role' },
    ],
    [
      'everything if it says so',
      { correlationQuery: script },
      { _queryFilter: 'true' },
      { kind: 'filter', filter: everything, resourceName: 'managed/user' },
    ],
    ['nothing if it returns null', { correlationQuery: script }, null, null],
    [
      'what the expressionTree comes to',
      {
        properties,
        correlationQuery: {
          type: 'text/javascript',
          file: 'ui/correlateTreeToQueryFilter.js',
          expressionTree: tree,
          mapping: 'm',
        },
      },
      undefined,
      { kind: 'filter', filter: parseFilter('mail eq "ann@x"'), resourceName: 'managed/user' },
    ],
    [
      'nothing more where the correlationScript has looked',
      { correlationScript: script },
      [{ _id: 'u1', mail: 'x' }, { _id: 'u2' }],
      { kind: 'found', ids: ['u1', 'u2'] },
    ],
    ['nothing where it found null', { correlationScript: script }, null, { kind: 'found', ids: [] }],
    [
      'nothing more where it returns the answer of a query',
      { correlationScript: script },
      { result: [{ _id: 'u1' }] },
      { kind: 'found', ids: ['u1'] },
    ],
  ])('%s', (_what, configuration, answer, correlation) => {
    expect(question(asked(), mapping(configuration), () => answer).correlation).toEqual(correlation)
  })

  it.each([
    ['correlationQuery', { correlationQuery: script }],
    ['correlationScript', { correlationScript: script }],
  ])('not by a %s that ends without a value', (_what, configuration) => {
    expect(() => question(asked(), mapping(configuration), () => undefined)).toThrow(
      /; it ended without a value \(null means: nothing to ask\)$/,
    )
  })

  it.each([['a text'], [1], [['a']]])('not by a correlationQuery that returns %o', (answer) => {
    expect(() => question(asked(), mapping({ correlationQuery: script }), () => answer)).toThrow(
      'the correlationQuery script must return a query object',
    )
  })

  it.each([[{}], [{ _queryfilter: 'a eq 1' }], [{ _queryFilter: null }], [{ resourceName: 'managed/role' }]])(
    'not by one that restricts nothing, as %o',
    (answer) => {
      const ask = () => question(asked(), mapping({ correlationQuery: script }), () => answer)
      expect(ask).toThrow(/^the correlationQuery script returned .*: .*is needed, not none/)
    },
  )

  it.each([['a text'], [[{ mail: 'x' }]], [{ result: 'x' }]])(
    'not by a correlationScript that returns %o',
    (answer) => {
      expect(() => question(asked(), mapping({ correlationScript: script }), () => answer)).toThrow(
        'must return an array of objects with _id',
      )
    },
  )

  it('nothing where the target is known already', () => {
    const configured = mapping({ correlationQuery: script })
    expect(question(asked({ correlates: false }), configured, noScripts).correlation).toBeNull()
  })

  it('about the object as it is, whatever validSource has made of its variables', () => {
    const configured = mapping({ validSource: script, correlationQuery: script })
    const call = scripts({
      validSource: ({ source }) => {
        ;(source as JsonObject).mail = 'changed'
        return true
      },
      correlationQuery: ({ source }) => ({ _queryFilter: `mail eq "${(source as JsonObject).mail}"` }),
    })
    expect(question(asked(), configured, call).correlation).toMatchObject({
      filter: parseFilter('mail eq "ann@x"'),
    })
  })
})

describe('link qualifiers', () => {
  const about = { object: { _id: '1' }, oldValue: null, returnAll: false }
  it('are those of the configuration', () => {
    expect(qualifiers(about, mapping({ linkQualifiers: ['a', 'b'] }), noScripts)).toEqual(['a', 'b'])
  })

  it('are those that the script returns, each once', () => {
    const seen: unknown[] = []
    const call = (_name: string, variables: unknown) => {
      seen.push(variables)
      return ['a', 'b', 'a']
    }
    expect(qualifiers(about, mapping({ linkQualifiers: script }), call)).toEqual(['a', 'b'])
    expect(seen).toEqual([{ mapping: 'm', ...about }])
  })

  it.each([[null], ['a'], [[1]], [['']]])('are not %o', (answer) => {
    expect(() => qualifiers(about, mapping({ linkQualifiers: script }), () => answer)).toThrow(
      'must return an array of non-empty strings',
    )
  })
})
