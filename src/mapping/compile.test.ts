import { describe, expect, it } from 'vitest'
import { parseFilter } from '../model/filter/parse.ts'
import type { JsonObject } from '../model/json.ts'
import { compileMapping } from './compile.ts'
import type { Mapping } from './mapping.ts'

const base = { name: 'hr_user', source: 'system/hr/account', target: 'managed/user' }
const script = { type: 'text/javascript', source: 'true' }

function compile(configuration: JsonObject, others: readonly JsonObject[] = []) {
  const all = [configuration, ...others].map((content) => ({ name: String(content.name), content }))
  return compileMapping(configuration, all)
}

function compiled(configuration: JsonObject, others?: readonly JsonObject[]): Mapping {
  const { mapping, errors } = compile({ ...base, ...configuration }, others)
  expect(errors).toEqual([])
  return mapping as Mapping
}

function errorsOf(configuration: JsonObject, others?: readonly JsonObject[]): string[] {
  return compile({ ...base, ...configuration }, others).errors.map(
    ({ place, message }) => `/${place.join('/')}: ${message}`,
  )
}

describe('a mapping with only name, source and target', () => {
  it('has the defaults of the specification', () => {
    expect(compiled({})).toMatchObject({
      links: {
        enabled: true,
        type: 'hr_user',
        reversed: false,
        sourceIgnoresCase: false,
        targetIgnoresCase: false,
      },
      qualifiers: { kind: 'fixed', names: ['default'] },
      validSource: undefined,
      validTarget: undefined,
      sourceCondition: undefined,
      correlation: { kind: 'none' },
      correlateEmptyTargetSet: false,
      properties: [],
      policies: [],
      hooks: {},
      reconciliation: {
        sourceQuery: { resourceName: 'system/hr/account', filter: { kind: 'literal', value: true } },
        targetQuery: { resourceName: 'managed/user', filter: { kind: 'literal', value: true } },
        sourceQueryFullEntry: undefined,
        targetQueryFullEntry: undefined,
        runTargetPhase: undefined,
        allowEmptySourceSet: false,
        taskThreads: 10,
        storedRuns: { analysis: 1, others: 1 },
      },
    })
  })
})

/** engine §2.2: what each property becomes. */
const understood: [property: string, configuration: JsonObject, part: object][] = [
  [
    'linkQualifiers as a list',
    { linkQualifiers: ['a', 'b'] },
    { qualifiers: { kind: 'fixed', names: ['a', 'b'] } },
  ],
  [
    'linkQualifiers as a script',
    { linkQualifiers: script },
    { qualifiers: { kind: 'script', script: 'linkQualifiers' } },
  ],
  ['enableLinking', { enableLinking: false }, { links: { enabled: false } }],
  ['sourceIdsCaseSensitive', { sourceIdsCaseSensitive: false }, { links: { sourceIgnoresCase: true } }],
  ['targetIdsCaseSensitive', { targetIdsCaseSensitive: false }, { links: { targetIgnoresCase: true } }],
  ['validSource', { validSource: script }, { validSource: 'validSource' }],
  ['validTarget', { validTarget: script }, { validTarget: 'validTarget' }],
  [
    'sourceCondition as a filter',
    { sourceCondition: '/source/a pr' },
    { sourceCondition: { kind: 'filter', filter: parseFilter('/source/a pr') } },
  ],
  [
    'sourceCondition as a script',
    { sourceCondition: script },
    { sourceCondition: { kind: 'script', script: 'sourceCondition' } },
  ],
  [
    'correlationQuery',
    { correlationQuery: script },
    {
      correlation: {
        kind: 'queries',
        byQualifier: { default: { kind: 'script', script: 'correlationQuery' } },
      },
    },
  ],
  [
    'correlationQuery a qualifier',
    { correlationQuery: [{ ...script, linkQualifier: 'a' }, script] },
    {
      correlation: {
        kind: 'queries',
        byQualifier: {
          a: { kind: 'script', script: 'correlationQuery/0' },
          default: { kind: 'script', script: 'correlationQuery/1' },
        },
      },
    },
  ],
  [
    'expressionTree',
    {
      properties: [{ target: 'mail' }, { target: 'sn' }],
      correlationQuery: [{ ...script, expressionTree: { any: ['mail', { all: ['sn', 'mail'] }] } }],
    },
    {
      correlation: {
        byQualifier: {
          default: {
            kind: 'tree',
            tree: { operator: 'any', operands: ['mail', { operator: 'all', operands: ['sn', 'mail'] }] },
          },
        },
      },
    },
  ],
  [
    'correlationScript',
    { correlationScript: script },
    { correlation: { kind: 'script', script: 'correlationScript' } },
  ],
  ['correlateEmptyTargetSet', { correlateEmptyTargetSet: true }, { correlateEmptyTargetSet: true }],
  [
    'properties',
    {
      properties: [
        { source: '/a/b', target: 'c/d/', default: 1, condition: '/object/x pr', transform: script },
      ],
    },
    {
      properties: [
        {
          source: ['a', 'b'],
          target: ['c', 'd'],
          default: 1,
          condition: { kind: 'filter' },
          transform: 'properties/0/transform',
        },
      ],
    },
  ],
  [
    'policies, whatever the letter case',
    {
      policies: [
        { situation: 'absent', action: 'create' },
        { situation: 'FOUND', action: script, condition: script, postAction: script },
      ],
    },
    {
      policies: [
        { situation: 'ABSENT', action: { kind: 'action', action: 'CREATE' } },
        {
          situation: 'FOUND',
          action: { kind: 'script', script: 'policies/1/action' },
          condition: { kind: 'script' },
          postAction: 'policies/1/postAction',
        },
      ],
    },
  ],
  ...[
    'onCreate',
    'onUpdate',
    'onDelete',
    'onLink',
    'onUnlink',
    'onMapping',
    'postMapping',
    'onError',
    'onRecon',
    'result',
  ].map((hook): [string, JsonObject, object] => [hook, { [hook]: script }, { hooks: { [hook]: hook } }]),
  [
    'defaultMapping, the older name of onMapping',
    { defaultMapping: script },
    { hooks: { onMapping: 'defaultMapping' } },
  ],
  [
    'onMapping, which wins over defaultMapping',
    { defaultMapping: script, onMapping: script },
    { hooks: { onMapping: 'onMapping' } },
  ],
  [
    'sourceQuery, with or without underscores',
    { sourceQuery: { queryFilter: 'a eq 1', _fields: 'a,b', resourceName: 'system/hr/other', extra: 7 } },
    {
      reconciliation: {
        sourceQuery: {
          resourceName: 'system/hr/other',
          filter: parseFilter('a eq 1'),
          fields: [['a'], ['b']],
          parameters: { extra: '7' },
        },
      },
    },
  ],
  [
    'targetQuery by id',
    { targetQuery: { _queryId: 'query-all-ids' } },
    { reconciliation: { targetQuery: { filter: { kind: 'literal', value: true }, fields: [['_id']] } } },
  ],
  [
    'sourceQueryFullEntry',
    { sourceQueryFullEntry: true },
    { reconciliation: { sourceQueryFullEntry: true } },
  ],
  [
    'targetQueryFullEntry',
    { targetQueryFullEntry: false },
    { reconciliation: { targetQueryFullEntry: false } },
  ],
  ['runTargetPhase', { runTargetPhase: false }, { reconciliation: { runTargetPhase: false } }],
  ['allowEmptySourceSet', { allowEmptySourceSet: true }, { reconciliation: { allowEmptySourceSet: true } }],
  ['taskThreads', { taskThreads: 0 }, { reconciliation: { taskThreads: 0 } }],
  [
    'reconAssociation',
    { reconAssociation: { maxAnalysisRunsPerMapping: 3, maxNonAnalysisRunsPerMapping: 4 } },
    { reconciliation: { storedRuns: { analysis: 3, others: 4 } } },
  ],
]

describe('a mapping property', () => {
  it.each(understood)('%s: %o', (_property, configuration, part) => {
    expect(compiled(configuration)).toMatchObject(part)
  })

  it.each([
    'displayName',
    'icon',
    'enableSync',
    'syncAfter',
    'prefetchLinks',
    'feedSize',
    'optimizeAssignmentSync',
    'reconSourceQueryPaging',
    'reconSourceQueryPageSize',
    'reconTargetQueryPaging',
    'reconTargetQueryPageSize',
    'reconProgressStateUpdateInterval',
    'comment',
  ])('%s changes nothing about what a reconciliation decides', (property) => {
    const { configuration: _, ...plain } = compiled({})
    const { configuration: __, ...with_ } = compiled({ [property]: property === 'syncAfter' ? [] : 1 })
    expect(with_).toEqual(plain)
  })

  it.each([
    ['consentRequired', { consentRequired: true }],
    ['queuedSync', { queuedSync: { enabled: true } }],
    ['clusteredSourceReconEnabled', { clusteredSourceReconEnabled: true }],
    ['triggerSyncProperties', { triggerSyncProperties: ['/mail'] }],
  ])('%s is about other triggers than reconciliation, and changes nothing', (_property, configuration) => {
    const { configuration: _, changes: __, ...plain } = compiled({})
    const { configuration: ___, changes: ____, ...with_ } = compiled(configuration)
    expect(with_).toEqual(plain)
  })

  it.each([
    ['defaultMapping', 'roles/defaultMapping.js'],
    ['onMapping', 'bin/defaults/script/roles/defaultMapping.js'],
    ['postMapping', 'roles/defaultPostMapping.groovy'],
  ])('%s that names the file %s, which OpenIDM ships, means what happens without it', (hook, file) => {
    const configuration = { ...base, [hook]: { type: 'text/javascript', file } }
    expect(compileMapping(configuration, []).mapping?.hooks).toEqual({})
    const own = compileMapping(configuration, [], { hasFile: (name) => name === file })
    expect(Object.keys(own.scripts)).toEqual([hook])
  })

  it('consentRequired counts for managed objects where the consent service is on', () => {
    const required = (content: JsonObject) =>
      compileMapping({ ...base, consentRequired: true, ...content }, [], { consentService: true }).mapping
        ?.consentRequired
    expect(required({ source: 'managed/user', target: 'system/hr/account' })).toBe(true)
    expect(required({})).toBe(false)
  })

  it.each<[what: string, configuration: JsonObject, source: number, target: number]>([
    ['pages of our own', { reconSourceQueryPageSize: 7, reconTargetQueryPageSize: 8 }, 500, 5000],
    [
      'the pages that are asked for',
      {
        reconSourceQueryPaging: true,
        reconSourceQueryPageSize: 7,
        reconTargetQueryPaging: true,
        reconTargetQueryPageSize: 8,
      },
      7,
      8,
    ],
    ['pages of a thousand', { reconSourceQueryPaging: true, reconTargetQueryPaging: true }, 1000, 5000],
  ])('for paging: %s', (_what, configuration, sourcePageSize, targetPageSize) => {
    expect(compiled(configuration).reconciliation).toMatchObject({ sourcePageSize, targetPageSize })
  })

  it.each<[fields: string[], source: unknown, target: unknown]>([
    [[], undefined, undefined],
    [['*', 'effectiveRoles'], undefined, undefined],
    [
      ['mail', 'name/first'],
      [['mail'], ['name', 'first']],
      [['mail'], ['name', 'first'], ['phone']],
    ],
  ])('for default fields %j', (fields, sourceFields, targetFields) => {
    const properties = [{ target: 'phone' }]
    const settings = compiled({ defaultSourceFields: fields, defaultTargetFields: fields, properties })
    expect(settings.reconciliation).toMatchObject({ sourceFields, targetFields })
  })
})

/** engine §2.3: checked at load, all of it, each with its place. */
const wrong: [what: string, configuration: JsonObject, errors: (RegExp | string)[]][] = [
  ['no source', { source: null }, [/^\/source: source must be a non-empty string/]],
  ['linkQualifiers of another type', { linkQualifiers: 'a' }, [/^\/linkQualifiers: .*array/]],
  ['an empty qualifier', { linkQualifiers: [''] }, [/^\/linkQualifiers\/0: .*non-empty/]],
  ['a qualifier twice', { linkQualifiers: ['a', 'a'] }, [/^\/linkQualifiers\/1: .*"a" is listed twice/]],
  [
    'both kinds of correlation',
    { correlationQuery: script, correlationScript: script },
    [/^\/correlationScript: .*not both/],
  ],
  [
    'two correlation queries of one qualifier',
    { correlationQuery: [script, script] },
    [/^\/correlationQuery\/1: .*already/],
  ],
  [
    'a tree that names no property',
    { correlationQuery: { ...script, expressionTree: { all: ['mail'] } } },
    [/^\/correlationQuery\/expressionTree\/all\/0: .*mail/],
  ],
  [
    'a tree of two operators',
    { correlationQuery: { ...script, expressionTree: { all: [], any: [] } } },
    [/expressionTree: .*any.*all/],
  ],
  [
    'a policy without situation or action',
    { policies: [{}] },
    [/^\/policies\/0\/situation: null is not a situation/, /^\/policies\/0\/action: null is not an action/],
  ],
  [
    'a policy of unknown names',
    { policies: [{ situation: 'LOST', action: 'EXPLODE' }] },
    [/"LOST" is not a situation; allowed: CONFIRMED/, /"EXPLODE" is not an action; allowed: CREATE/],
  ],
  [
    'a property without target',
    { properties: [{ source: 'a' }] },
    [/^\/properties\/0\/target: target must be a pointer/],
  ],
  [
    'the root as target',
    { properties: [{ target: '' }, { target: '/' }] },
    [/cannot replace root object/, /^\/properties\/1\/target: cannot replace root object/],
  ],
  ['a filter that does not parse', { sourceCondition: '/source/a eq' }, [/^\/sourceCondition: /]],
  ['a query filter that does not parse', { sourceQuery: { _queryFilter: 'a ==' } }, [/^\/sourceQuery: /]],
  [
    'two kinds of query at once',
    { sourceQuery: { _queryFilter: 'true', _queryId: 'query-all-ids' } },
    [/^\/sourceQuery: .*not several/],
  ],
  [
    'a source query without a restriction',
    { sourceQuery: {} },
    [/^\/sourceQuery: exactly one of .* not none$/],
  ],
  [
    'a misspelt key of a query',
    { targetQuery: { _queryfilter: 'a eq 1' } },
    [/^\/targetQuery: .* not none; did you mean _queryFilter instead of _queryfilter\?$/],
  ],
  ['an unknown named query', { targetQuery: { _queryId: 'mine' } }, [/^\/targetQuery: .*query-all-ids/]],
  ['text for a boolean', { allowEmptySourceSet: 'true' }, [/^\/allowEmptySourceSet: .*not "true"/]],
  [
    'several errors at once',
    { policies: [{ situation: 'x', action: 'CREATE' }], properties: [{}] },
    [/^\/properties\/0\/target/, /^\/policies\/0\/situation/],
  ],
]

describe('a mapping is refused', () => {
  it.each(wrong)('for %s: %o', (_what, configuration, errors) => {
    expect(errorsOf(configuration)).toEqual(errors.map((error) => expect.stringMatching(error)))
    expect(compile({ ...base, ...configuration }).mapping).toBeUndefined()
  })
})

/** engine §5.2. */
describe('links of another mapping', () => {
  const definer = { name: 'x', source: base.source, target: base.target, sourceIdsCaseSensitive: false }
  const reverse = { name: 'x', source: base.target, target: base.source, sourceIdsCaseSensitive: false }

  it('are used in the same direction between the same object sets, with their settings for case', () => {
    const { links } = compiled({ links: 'x', targetIdsCaseSensitive: false }, [definer])
    expect(links).toEqual({
      enabled: true,
      type: 'x',
      reversed: false,
      sourceIgnoresCase: true,
      targetIgnoresCase: false,
    })
  })

  it('are used in reverse between the reverse object sets, the settings for case turned round, too', () => {
    const { links } = compiled({ links: 'x' }, [reverse])
    expect(links).toEqual({
      enabled: true,
      type: 'x',
      reversed: true,
      sourceIgnoresCase: false,
      targetIgnoresCase: true,
    })
  })

  it.each([
    ['nobody defines', []],
    ['is itself borrowed', [{ ...definer, links: 'y' }]],
  ])('are refused if the set is one that %s', (_what, others) => {
    expect(errorsOf({ links: 'x' }, others)).toEqual([
      expect.stringMatching(/^\/links: .*no mapping of that name defines/),
    ])
  })

  it('are refused between other object sets', () => {
    const stranger = { name: 'x', source: 'system/ldap/account', target: 'managed/user' }
    expect(errorsOf({ links: 'x' }, [stranger])).toEqual([
      expect.stringMatching(/^\/links: .*neither.*nor their reverse/),
    ])
  })
})
