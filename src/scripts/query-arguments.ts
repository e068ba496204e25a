import { isJsonObject, type Json } from '../model/json.ts'
import { selected, selectionIn, totalPolicyOf, withoutRestriction } from '../model/query-words.ts'
import type { ResourceQuery } from '../router/resources.ts'
import { bad, fieldList, parameters, sortKeyList, texts } from './call-arguments.ts'

/** `openidm.query`: its parameters made into a query (platform §1.2, §7.2). */
export function resourceQuery(path: string, value: unknown, fields: unknown): ResourceQuery {
  if (!isJsonObject(value))
    throw bad(
      'query',
      'the parameters must be an object with one of _queryFilter, _queryId, _queryExpression',
    )
  const { _fields, _sortKeys, ...others } = value
  const given = parameters(others, 'query')
  const { _queryFilter, _queryId, _queryExpression, _pageSize, _pagedResultsCookie, ...rest } = given
  const { _pagedResultsOffset, _totalPagedResultsPolicy, ...additional } = rest
  const selection = selectionIn(given)
  if (!selection) throw bad('query', withoutRestriction(Object.keys(value)))
  const found = selected(selection, additional, path)
  const sortKeys = sortKeyList(_sortKeys, 'query')
  const pageSize = count(_pageSize, '_pageSize')
  const offset = count(_pagedResultsOffset, '_pagedResultsOffset')
  const wanted = fieldList(fields, 'query') ?? fieldList(_fields, 'query') ?? found.fields
  return {
    filter: found.filter,
    ...(wanted && { fields: wanted }),
    ...(sortKeys && { sortKeys }),
    ...(pageSize !== undefined && { pageSize }),
    ...(offset !== undefined && { offset }),
    ...(_pagedResultsCookie !== undefined && { cookie: String(_pagedResultsCookie) }),
    ...(_totalPagedResultsPolicy !== undefined && { totalPolicy: totalPolicyOf(_totalPagedResultsPolicy) }),
    parameters: texts(found.parameters),
  }
}

function count(value: Json | undefined, name: string): number | undefined {
  if (value === undefined) return undefined
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0)
    throw bad('query', `${name} must be a whole number, not "${value}"`)
  return number
}
