import type { Mapping } from '../../mapping/mapping.ts'
import type { Json } from '../../model/json.ts'
import type { Repository } from '../../repository/repository.ts'
import type { ResourceProvider, Resources } from '../../router/resources.ts'
import { linkedResources } from './linked-resources.ts'

/** `endpoint/linkedView/{resource}` (platform §2), which the original ships: an object and what it is linked to. */
export function linkedViewProvider(options: {
  readonly repository: Repository
  readonly resources: () => Resources
  readonly mappings: () => readonly Mapping[]
}): ResourceProvider {
  return {
    async read(path, request) {
      const resources = options.resources()
      const { fields, ...context } = request
      const [object, linked] = await Promise.all([
        resources.read(path, context),
        linkedResources({ repository: options.repository, resources }, options.mappings(), path, context),
      ])
      return { ...object, linkedTo: linked as Json[] }
    },
  }
}
