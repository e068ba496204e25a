import type { Log } from '../kit/log.ts'
import { printPointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { printReference, type Target } from '../model/reference.ts'
import { joinPath } from '../model/resource-path.ts'
import type { Repository } from '../repository/repository.ts'
import type { Resource, ResourceProvider, Resources } from '../router/resources.ts'
import { type ManagedSet, managedSet, type SetServices } from './managed-set.ts'
import { noOwnPolicies } from './policies/project-policies.ts'
import { type RelationshipModel, relationshipModel } from './relationships/model.ts'
import { Recomputation } from './relationships/recompute.ts'
import { relationshipAt } from './relationships/resource.ts'
import { temporalTriggers } from './relationships/temporal-triggers.ts'
import { type CompiledType, compileType, plainParts, type TypeParts } from './type/compile.ts'
import { collectionOf, type ManagedType, propertiesOf, propertiesWith } from './type/type.ts'
import { unsupportedFeatures } from './type/unsupported.ts'
import { objectResources } from './type-resource.ts'
import { nothingSynchronized, type OnChange } from './write/changes.ts'

/**
 * `managed/{type}[/{id}]` (platform §6.2): objects that live in the repository, described by
 * `conf/managed.json`. CONFIGURATION for a type with features that are not supported; `unsupportedFeatures` says
 * beforehand which and where. Searchable and unique properties are declared to the repository as indexes.
 */
export async function managedObjects(options: {
  readonly repository: Repository
  readonly types: readonly ManagedType[]
  /** False switches validation off (`openidm.policy.enforcement.enabled`). */
  readonly enforcePolicies?: boolean
  /** Scripts of a type, and how its values are encrypted; absent: no type has any. */
  readonly partsOf?: (type: ManagedType) => TypeParts
  /** Absent: nothing is synchronized. */
  readonly onChange?: OnChange
  /** Objects that relationships refer to outside of the repository; absent: there are none. */
  readonly resources?: () => Pick<Resources, 'read'>
  readonly log?: Log
  /** ms since 1970; tests set their own clock. */
  readonly now?: () => number
}): Promise<ManagedObjects> {
  const {
    repository,
    types,
    enforcePolicies = true,
    partsOf = () => plainParts,
    onChange = nothingSynchronized,
    resources,
    log = () => {},
    now = Date.now,
  } = options
  for (const type of types) refuseUnsupported(type, partsOf(type))
  const sets = new Map<string, ManagedSet>()
  const typeOf = (collection: string) => sets.get(collection)?.compiled
  const relationsOf = (collection: string) => typeOf(collection)?.relations
  const recomputation = new Recomputation({ repository, onChange, relationsOf, log, now })
  const model = relationshipModel(types)
  const services = { now, typeOf, recomputation, outside: (target: Target) => outside(resources, target) }
  for (const type of types) {
    const compiled = compileType(type, enforcePolicies, partsOf(type), model && { model, services })
    sets.set(compiled.collection, managedSet(repository, compiled, onChange))
    await repository.objects.declare(compiled.collection, [...indexed(type), ...conditionsOn(type, model)])
  }
  if (model) await repository.objects.declare(temporalTriggers, ['/due'])
  return {
    ...provider({ ...services, sets }),
    types: [...sets.values()].map(({ compiled }) => compiled),
    start: async () => {
      if (model) await recomputation.start()
    },
    [Symbol.asyncDispose]: () => recomputation[Symbol.asyncDispose](),
  }
}

/** The provider, and what it does by itself while a server runs. */
export interface ManagedObjects extends ResourceProvider, AsyncDisposable {
  readonly types: readonly CompiledType[]
  /** Takes up what depends on earlier changes, and from then on what time brings. */
  start(): Promise<void>
}

/** Reads an object that is not in the repository; undefined if it does not exist. */
async function outside(
  resources: (() => Pick<Resources, 'read'>) | undefined,
  target: Target,
): Promise<Resource | undefined> {
  const request = { external: false, userId: 'system', roles: [], transactionId: 'relationship' }
  // Service roles are not objects here: a reference to one is always valid.
  if (/^(?:repo\/)?internal\//.test(target.collection)) return { _id: target.id }
  try {
    return await resources?.().read(printReference(target), request)
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined
    throw error
  }
}

/** A path leads to an object or a set, or below an object to relationships. */
function provider(services: SetServices): ResourceProvider {
  const objects = objectResources(services)
  const below = (path: string) => relationshipAt(services, path)
  return {
    ...objects,
    read: (path, request) => below(path)?.read(request) ?? objects.read(path, request),
    query: (path, query, request) =>
      below(path)?.query(query, request) ?? objects.query(path, query, request),
    create(path, id, content, request) {
      const place = below(id === undefined ? path : `${path}/${joinPath(id)}`)
      if (!place) return objects.create(path, id, content, request)
      // The one relationship of a property stands where the others have a set.
      const set = id === undefined ? place : below(path)
      return set ? set.create(id, content, request) : place.put(content, request)
    },
    update: (path, rev, content, request) =>
      below(path)?.update(rev, content, request) ?? objects.update(path, rev, content, request),
    patch: (path, rev, operations, request) =>
      below(path)?.patch(rev, operations, request) ?? objects.patch(path, rev, operations, request),
    delete: (path, rev, request) => below(path)?.delete(rev, request) ?? objects.delete(path, rev, request),
  }
}

function refuseUnsupported(type: ManagedType, { ownPolicies = noOwnPolicies }: TypeParts): void {
  const found = unsupportedFeatures(type, ownPolicies.known)
  if (found.length === 0) return
  const list = found.map(({ place, message }) => `${place.join('/')}: ${message}`)
  throw new Problem('CONFIGURATION', `managed/${type.name} cannot be used: ${list.join('; ')}`, {
    detail: found.map(({ place, message }) => ({ pointer: place, message })),
  })
}

/** `unique` asks for the same values at every write, so it needs the index as much as a search does. */
function indexed(type: ManagedType): readonly string[] {
  const searchable = propertiesOf(type.schema).filter(([, property]) => property.searchable)
  const names = new Set([...searchable.map(([name]) => name), ...propertiesWith(type, 'unique')])
  return [...names].map((name) => printPointer([name]))
}

/** Properties with conditions are looked for at every write of those that they may grant something to. */
function conditionsOn(type: ManagedType, model: RelationshipModel | undefined): readonly string[] {
  return [...(model?.types.values() ?? [])].flatMap(({ properties }) =>
    [...properties.values()].flatMap(({ conditions }) => {
      const name = conditions.get(collectionOf(type))
      return name === undefined ? [] : [printPointer([name])]
    }),
  )
}
