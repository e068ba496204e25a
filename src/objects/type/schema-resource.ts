import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import { queryCollection } from '../../router/collection.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'
import { collectionOf, type ManagedType } from './type.ts'

/** `schema/managed/{type}` (platform §2): the schemas of managed types, with the policies of their resources. */
export function schemaProvider(types: readonly ManagedType[]): ResourceProvider {
  const schemas = types.map((type): Resource => ({ ...type.schema, _id: collectionOf(type) }))
  return {
    async read(path) {
      const [root, name, ...deeper] = splitPath(path)
      const schema = deeper.length > 0 ? undefined : schemas.find(({ _id }) => _id === `${root}/${name}`)
      if (!schema) throw new Problem('NOT_FOUND', `There is no schema/${path}`)
      return schema
    },
    async query(path, query) {
      if (path !== '' && path !== 'managed') throw new Problem('NOT_FOUND', `There is no set schema/${path}`)
      return queryCollection(schemas, query)
    },
  }
}
