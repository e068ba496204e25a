import type { JsonObject } from '../model/json.ts'
import type { StorePage, StoreQuery } from '../repository/query.ts'
import type { Resource, ResourcePage, ResourceQuery } from './resources.ts'

/** Converts a resource query to a query of the repository, for providers whose objects are stored there. */
export function storeQuery(query: ResourceQuery): StoreQuery {
  const { filter, sortKeys, pageSize, cookie, offset, totalPolicy } = query
  return {
    filter,
    ...(sortKeys && { sortKeys }),
    ...(pageSize && { pageSize }),
    ...(cookie !== undefined && { cookie }),
    ...(offset && { offset }),
    total: totalPolicy === 'EXACT' || totalPolicy === 'ESTIMATE',
  }
}

/** A stored object, as those are whose content has its `_id`. */
export function asResource(content: JsonObject): Resource {
  return { ...content, _id: String(content._id) }
}

/** The repository's answer as resources. */
export function storePage<T>(page: StorePage<T>, asResource: (stored: T) => Resource): ResourcePage {
  return { result: page.result.map(asResource), cookie: page.cookie, total: page.total }
}
