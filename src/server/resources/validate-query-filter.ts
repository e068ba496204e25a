import { parseFilter } from '../../model/filter/parse.ts'
import { isJsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { ResourceProvider } from '../../router/resources.ts'

/** `util/validateQueryFilter?_action=validate` (platform §2): is a text a query filter, and if not, why not? */
export const validateQueryFilterProvider: ResourceProvider = {
  async action(path, { name, content, parameters }) {
    if (path !== '' || name !== 'validate')
      throw new Problem('BAD_REQUEST', 'util/validateQueryFilter offers the action validate')
    const body = isJsonObject(content) ? content : {}
    const text = body._queryFilter ?? body.queryFilter ?? parameters._queryFilter ?? parameters.queryFilter
    if (typeof text !== 'string') throw new Problem('BAD_REQUEST', 'the action needs _queryFilter')
    try {
      parseFilter(text)
      return { valid: true }
    } catch (error) {
      throw new Problem('BAD_REQUEST', asProblem(error).message, { detail: { valid: false } })
    }
  },
}
