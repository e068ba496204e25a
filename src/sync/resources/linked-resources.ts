import type { Mapping } from '../../mapping/mapping.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { Link } from '../../repository/links.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, ResourceProvider, Resources } from '../../router/resources.ts'
import type { SyncServices } from '../services.ts'

/**
 * The objects that one object is linked to, in all link sets that its object set takes part in (engine §8.6,
 * `getLinkedResources`). Read with the caller's rights; an end that cannot be read is there without content.
 */
export async function linkedResources(
  { repository, resources, mappings }: SyncServices,
  resourceName: string,
  context: RequestContext,
): Promise<JsonObject[]> {
  const { container, id } = parted(resourceName)
  const found: JsonObject[] = []
  for (const { side, other, group } of ends(mappings(), container)) {
    const [mapping] = group
    if (!mapping) continue
    for (const link of await linksOf(repository, mapping, side, id)) {
      const linkedId = spelledId(link, side === 'firstId' ? 'secondId' : 'firstId')
      const path = `${other}/${linkedId}`
      found.push({
        resourceName: path,
        ...(await contentOf(resources(), path, context)),
        linkQualifier: link.linkQualifier,
        linkType: link.linkType,
        mappings: group.map(({ name, target }) => ({ name, type: target === other ? 'target' : 'source' })),
      })
    }
  }
  return found
}

/** `endpoint/linkedView/{resource}` (platform §2), which the original ships: an object and what it is linked to. */
export function linkedViewProvider(services: SyncServices): ResourceProvider {
  return {
    async read(path, { fields, ...context }) {
      const object = services.resources().read(path, context)
      const [found, linkedTo] = await Promise.all([object, linkedResources(services, path, context)])
      return { ...found, linkedTo }
    },
  }
}

function parted(resourceName: string): { container: string; id: string } {
  const end = resourceName.lastIndexOf('/')
  if (end > 0 && end < resourceName.length - 1)
    return { container: resourceName.slice(0, end), id: decodeURIComponent(resourceName.slice(end + 1)) }
  throw new Problem('BAD_REQUEST', 'getLinkedResources needs resourceName, e.g. managed/user/42')
}

interface End {
  /** The side of the links on which the container stands. */
  readonly side: 'firstId' | 'secondId'
  /** The object set on the other side. */
  readonly other: string
  /** The mappings of that link set. */
  readonly group: readonly Mapping[]
}

function ends(mappings: readonly Mapping[], container: string): readonly End[] {
  const all = mappings
    .filter(({ links }) => links.enabled)
    .flatMap((mapping) => {
      const { source, target, links } = mapping
      const [sourceSide, targetSide] = links.reversed
        ? (['secondId', 'firstId'] as const)
        : (['firstId', 'secondId'] as const)
      return [
        ...(source === container ? [{ side: sourceSide, other: target, mapping }] : []),
        ...(target === container ? [{ side: targetSide, other: source, mapping }] : []),
      ]
    })
  const grouped = Map.groupBy(all, ({ side, other, mapping }) =>
    JSON.stringify([mapping.links.type, side, other]),
  )
  return [...grouped.values()].flatMap((group) => {
    const [first] = group
    return first ? [{ side: first.side, other: first.other, group: group.map(({ mapping }) => mapping) }] : []
  })
}

async function linksOf(
  { links }: Repository,
  { links: use }: Mapping,
  side: 'firstId' | 'secondId',
  id: string,
): Promise<readonly Link[]> {
  const sourceSide = use.reversed ? 'secondId' : 'firstId'
  const ignoresCase = side === sourceSide ? use.sourceIgnoresCase : use.targetIgnoresCase
  const equals = (name: string, value: string): Filter => ({
    kind: 'compare',
    operator: 'eq',
    pointer: [name],
    value,
  })
  const filters = [equals('linkType', use.type), equals(side, ignoresCase ? id.toLowerCase() : id)]
  return (await links.query({ filter: { kind: 'and', filters } })).result
}

function spelledId(link: Link, side: 'firstId' | 'secondId'): string {
  return (side === 'firstId' ? link.firstSpelling : link.secondSpelling) ?? link[side]
}

async function contentOf(resources: Resources, path: string, context: RequestContext): Promise<JsonObject> {
  try {
    return { content: await resources.read(path, context) }
  } catch (error) {
    return { content: null, error: asProblem(error).message }
  }
}
