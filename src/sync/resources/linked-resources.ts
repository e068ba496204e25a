import type { Mapping } from '../../mapping/mapping.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { joinPath, normalizePath, splitLast, tolerantPath } from '../../model/resource-path.ts'
import type { LinkSide } from '../../repository/links.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, ResourceProvider, Resources } from '../../router/resources.ts'
import { sidesOf, spelledEnd } from '../page/links.ts'
import type { SyncServices } from '../services.ts'

/**
 * The objects that one object is linked to, in all link sets of its object set (engine §8.6, `getLinkedResources`). Read with
 * the caller's rights; an end that cannot be read has no content.
 */
export async function linkedResources(
  { repository, resources, mappings }: SyncServices,
  resourceName: string,
  context: RequestContext,
): Promise<JsonObject[]> {
  const { container, id } = parted(resourceName)
  const found: JsonObject[] = []
  const ends = mappings().flatMap((mapping) => (mapping.links.enabled ? endsOf(mapping, container) : []))
  for (const group of Map.groupBy(ends, sameLinks).values()) {
    const [end] = group
    if (!end) continue
    const { other, otherSide } = end
    for (const link of await linksOf(repository, end, id)) {
      const path = `${other}/${joinPath(spelledEnd(link, otherSide))}`
      found.push({
        resourceName: path,
        ...(await contentOf(resources(), path, context)),
        linkQualifier: link.linkQualifier,
        linkType: link.linkType,
        mappings: group.map(({ mapping: { name, target } }) => ({
          name,
          type: target === other ? 'target' : 'source',
        })),
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
  const path = normalizePath(tolerantPath(resourceName))
  if (path.includes('/')) {
    const { parent, last } = splitLast(path)
    return { container: parent, id: last }
  }
  throw new Problem('BAD_REQUEST', 'getLinkedResources needs resourceName, e.g. managed/user/42')
}

/** An object set as one end of a mapping. */
interface End {
  readonly mapping: Mapping
  /** Its side of the links. */
  readonly side: LinkSide
  readonly ignoresCase: boolean
  /** The object set on the other side. */
  readonly other: string
  readonly otherSide: LinkSide
}

function endsOf(mapping: Mapping, container: string): readonly End[] {
  const { source, target, links } = mapping
  const [sourceSide, targetSide] = sidesOf(links)
  const ends: End[] = []
  if (source === container)
    ends.push({
      ...{ mapping, side: sourceSide, ignoresCase: links.sourceIgnoresCase },
      ...{ other: target, otherSide: targetSide },
    })
  if (target === container)
    ends.push({
      ...{ mapping, side: targetSide, ignoresCase: links.targetIgnoresCase },
      ...{ other: source, otherSide: sourceSide },
    })
  return ends
}

function sameLinks({ mapping, side, other }: End): string {
  return JSON.stringify([mapping.links.type, side, other])
}

async function linksOf({ links }: Repository, { mapping, side, ignoresCase }: End, id: string) {
  const equals = (name: string, value: string): Filter => ({
    ...{ kind: 'compare', operator: 'eq', pointer: [name], value },
  })
  const filters = [equals('linkType', mapping.links.type), equals(side, ignoresCase ? id.toLowerCase() : id)]
  return (await links.query({ filter: { kind: 'and', filters } })).result
}

async function contentOf(resources: Resources, path: string, context: RequestContext): Promise<JsonObject> {
  try {
    return { content: await resources.read(path, context) }
  } catch (error) {
    return { content: null, error: asProblem(error).message }
  }
}
