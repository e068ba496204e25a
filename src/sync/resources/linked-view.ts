import type { ResourceProvider } from '../../router/resources.ts'
import type { SyncServices } from '../services.ts'
import { linkedResources } from './linked-resources.ts'

/** `endpoint/linkedView/{resource}` (platform §2), which the original ships: an object and what it is linked to. */
export function linkedViewProvider(services: SyncServices): ResourceProvider {
  return {
    async read(path, request) {
      const { fields, ...context } = request
      const [object, linked] = await Promise.all([
        services.resources().read(path, context),
        linkedResources(services, path, context),
      ])
      return { ...object, linkedTo: linked }
    },
  }
}
