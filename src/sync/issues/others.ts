import { elementsOf, type JsonObject } from '../../model/json.ts'
import { parted } from '../../model/unreadable.ts'
import type { Issue } from '../../repository/issues.ts'
import type { ObjectSet } from '../../router/resources.ts'
import { calledBy, type Naming, namingOf } from '../page/names.ts'
import type { SyncServices } from '../services.ts'

/** More candidates than anybody compares by name. */
const mostNamed = 20

/**
 * How the other parties of a case are called: `candidateNames`, by their ids, and `linkedToName`. They are asked for when somebody looks at
 * the case; a system that does not answer leaves them out.
 */
export async function othersNamed(services: SyncServices, { mapping, content }: Issue): Promise<JsonObject> {
  const candidates = elementsOf(content.candidates ?? null).map(String)
  const { linkedTo } = content
  if (candidates.length === 0 && typeof linkedTo !== 'string') return {}
  try {
    return await services.during(async () => {
      const rules = await services.rulesOf(mapping)
      const naming = namingOf({ rules, resources: services.resources() })
      const found = await named(naming, naming.targets, candidates.slice(0, mostNamed))
      const holders = typeof linkedTo === 'string' ? await named(naming, naming.sources, [linkedTo]) : {}
      const [linkedToName] = Object.values(holders)
      return {
        ...(Object.keys(found).length > 0 && { candidateNames: found }),
        ...(linkedToName !== undefined && { linkedToName }),
      }
    })
  } catch {
    return {}
  }
}

async function named(naming: Naming, set: ObjectSet, ids: readonly string[]): Promise<JsonObject> {
  if (ids.length === 0) return {}
  const objects = await set.readMany(ids)
  return Object.fromEntries(
    ids.flatMap((id) => {
      const { object } = parted(objects.get(id))
      const name = calledBy(naming, [object])
      return name === undefined ? [] : [[id, name] as const]
    }),
  )
}
