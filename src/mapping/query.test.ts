import { describe, expect, it } from 'vitest'
import { everything } from '../model/filter/filter.ts'
import type { JsonObject } from '../model/json.ts'
import { readQuery } from './query.ts'

const none = 'exactly one of _queryFilter, _queryId and _queryExpression is needed, not none'

/** The same object as a script may return it: `undefined` is a value there. */
const withoutValue = { _queryFilter: undefined } as unknown as JsonObject

const unrestricted: readonly [string, JsonObject, string][] = [
  ['no key', {}, none],
  ['null', { _queryFilter: null }, none],
  ['undefined', withoutValue, none],
  ['three nulls', { _queryFilter: null, _queryId: null, _queryExpression: null }, none],
  [
    'another letter case',
    { _queryfilter: 'a eq 1' },
    `${none}; did you mean _queryFilter instead of _queryfilter?`,
  ],
  ['a slip', { _queryFliter: 'a eq 1' }, `${none}; did you mean _queryFilter instead of _queryFliter?`],
  ['half of a name', { filter: 'a eq 1' }, `${none}; did you mean _queryFilter instead of filter?`],
  ['a slip in another key', { _queryID: 'query-all' }, `${none}; did you mean _queryId instead of _queryID?`],
  [
    'a slip in the third',
    { queryExpresion: 'a' },
    `${none}; did you mean _queryExpression instead of queryExpresion?`,
  ],
  ['a parameter alone', { department: 'a' }, none],
  ['fields alone', { _fields: 'a' }, none],
  ['a resource alone', { resourceName: 'managed/role' }, none],
]

describe('a query that restricts nothing', () => {
  it.each(unrestricted)('is refused: %s', (_what, configured, message) => {
    expect(() => readQuery(configured, 'managed/user')).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST', message }),
    )
  })
  it.each([
    ['not configured at all', undefined],
    ['configured as true', { _queryFilter: 'true' }],
    ['configured as a boolean', { _queryFilter: true }],
    ['asked for by name', { _queryId: 'query-all' }],
    ['without underscore', { queryFilter: 'true' }],
  ])('is everything where that is %s', (_what, configured) => {
    expect(readQuery(configured, 'managed/user').filter).toEqual(everything)
  })
})
