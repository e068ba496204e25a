import { describe, expect, it } from 'vitest'
import { readQuery } from '../mapping/query.ts'
import { resourceQuery } from '../scripts/call-arguments.ts'
import { everything, type Filter } from './filter/filter.ts'
import type { Json } from './json.ts'
import { queryAnswer, selected, selectionIn, totalPolicyOf } from './query-words.ts'

const equals = (field: string, value: Json): Filter => ({
  kind: 'compare',
  operator: 'eq',
  pointer: [field],
  value,
})

/** As a request, a script and a mapping ask; what they read it as. */
const readers = [
  {
    reader: 'a request',
    read: (path: string, words: Record<string, string>) => {
      const { _queryFilter, _queryId, _queryExpression, ...others } = words
      const selection = selectionIn(words)
      if (!selection) throw new Error('no query')
      const { filter, fields, parameters } = selected(selection, others, path)
      return { filter, fields, parameters }
    },
  },
  {
    reader: 'a script',
    read: (path: string, words: Record<string, string>) => {
      const { filter, fields, parameters } = resourceQuery(path, words, undefined)
      return { filter, fields, parameters }
    },
  },
  {
    reader: 'a mapping',
    read: (path: string, words: Record<string, string>) => {
      const { filter, fields, parameters } = readQuery(words, path)
      return { filter, fields, parameters }
    },
  },
]

describe.each(readers)('$reader', ({ read }) => {
  const rest = { depth: '2' }
  it.each<[Record<string, string>, { filter: Filter; fields?: string[][] }]>([
    [{ _queryFilter: 'true' }, { filter: everything }],
    [{ _queryFilter: 'sn eq "Fox"' }, { filter: equals('sn', 'Fox') }],
    [{ _queryId: 'query-all-ids' }, { filter: everything, fields: [['_id']] }],
    [{ _queryId: 'query-all' }, { filter: everything }],
    [{ _queryId: 'for-userName', uid: 'bjensen' }, { filter: equals('userName', 'bjensen') }],
    [{ _queryId: 'get-by-field-value', field: 'sn', value: 'Fox' }, { filter: equals('sn', 'Fox') }],
    [{ _queryId: 'links-for-linkType', linkType: 'a' }, { filter: equals('linkType', 'a') }],
    [
      { _queryId: 'links-for-firstId', linkType: 'a', firstId: '1' },
      { filter: { kind: 'and', filters: [equals('linkType', 'a'), equals('firstId', '1')] } },
    ],
    [
      { _queryId: 'credential-query', username: 'ann' },
      {
        filter: {
          kind: 'and',
          filters: [equals('userName', 'ann'), { kind: 'not', filter: equals('accountStatus', 'inactive') }],
        },
      },
    ],
    [{ _queryId: 'for-internalcredentials', uid: 'ann' }, { filter: equals('_id', 'ann') }],
    [
      { _queryId: 'get-users-of-role', role: 'seller' },
      {
        filter: { kind: 'compare', operator: 'eq', pointer: ['roles', '_ref'], value: 'managed/role/seller' },
      },
    ],
  ])('reads %o, and keeps the other parameters', (words, { filter, fields }) => {
    expect(read('managed/user', { ...words, ...rest })).toEqual({ filter, fields, parameters: rest })
  })

  it('takes a query expression for a filter on systems', () => {
    expect(read('system/hr/account', { _queryExpression: 'sn eq "Fox"' }).filter).toEqual(equals('sn', 'Fox'))
  })

  it.each([
    [{ _queryExpression: 'select 1' }, 'BAD_REQUEST', /system.* use _queryFilter/],
    [{ _queryId: 'mine' }, 'BAD_REQUEST', /"mine" is not a known query/],
    [{ _queryId: 'toString' }, 'BAD_REQUEST', /not a known query/],
    [{ _queryId: 'for-userName' }, 'BAD_REQUEST', /for-userName needs the parameter uid/],
    [{ _queryId: 'get-by-field-value', field: 'sn' }, 'BAD_REQUEST', /needs the parameter value/],
    [{ _queryFilter: 'true', _queryId: 'query-all' }, 'BAD_REQUEST', /exactly one of .*, not several/],
    [{ _queryFilter: 'sn eq' }, 'BAD_FILTER', /./],
  ])('refuses %o', (words, code, message) => {
    const refusal = expect.objectContaining({ code, message: expect.stringMatching(message) })
    expect(() => read('managed/user', words)).toThrow(refusal)
  })
})

describe('the query for recorded runs', () => {
  const found = (words: Record<string, string>) =>
    selected({ key: '_queryId', value: 'get-recons' }, words, 'audit/recon')
  const mapping = { kind: 'compare', pointer: ['mapping'] }

  it('asks for summaries, the newest first', () => {
    expect(found({})).toMatchObject({
      fields: [['reconId'], ['timestamp'], ['mapping']],
      sortKeys: [{ pointer: ['timestamp'], descending: true }],
      filter: {
        kind: 'and',
        filters: [equals('entryType', 'summary'), { kind: 'present' }, { kind: 'not' }],
      },
    })
  })

  it.each([
    ['hr_user', { ...mapping, operator: 'eq', value: 'hr_user' }],
    ['hr%', { ...mapping, operator: 'sw', value: 'hr' }],
    ['%user', { ...mapping, operator: 'ew', value: 'user' }],
    ['%r_u%', { ...mapping, operator: 'co', value: 'r_u' }],
  ])('of mappings like %s', (includeMapping, filter) => {
    expect(found({ includeMapping })).toMatchObject({ filter: { filters: [{}, filter, {}] } })
    expect(found({ excludeMapping: includeMapping })).toMatchObject({
      filter: { filters: [{}, {}, { kind: 'not', filter }] },
    })
  })

  it('takes no other patterns', () => {
    expect(() => found({ includeMapping: 'a%b' })).toThrow('"a%b": a % stands at the beginning')
  })
})

it('does not count for a mapping, which needs the objects', () => {
  expect(() => readQuery({ _queryId: 'query-all-ids-count' }, 'managed/user')).toThrow('counts objects')
})

it('reads whether to count in any case of letters', () => {
  expect(totalPolicyOf('exact')).toBe('EXACT')
  expect(() => totalPolicyOf('MANY')).toThrow('must be one of NONE, ESTIMATE, EXACT, not "MANY"')
})

it('says in the answer whether it was counted', () => {
  const page = { result: [{ _id: 'a' }], cookie: 'next' }
  expect(queryAnswer({ ...page, total: 2 }, 'EXACT')).toMatchObject({
    totalPagedResultsPolicy: 'EXACT',
    totalPagedResults: 2,
  })
  expect(queryAnswer(page, 'EXACT')).toEqual({
    result: [{ _id: 'a' }],
    resultCount: 1,
    pagedResultsCookie: 'next',
    totalPagedResultsPolicy: 'NONE',
    totalPagedResults: -1,
    remainingPagedResults: -1,
  })
})
