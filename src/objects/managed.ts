import { parseFilter } from '../model/filter-parse.ts'
import { pointersOf } from '../model/filter-walk.ts'
import type { Json } from '../model/json.ts'
import { applyPatch, type PatchOperation, parsePatch } from '../model/patch.ts'
import { type Pointer, printPointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import type { Repository, StoredObject } from '../repository/repository.ts'
import { splitPath } from '../router/path.ts'
import type {
  RequestContext,
  Resource,
  ResourceAction,
  ResourceProvider,
  ResourceQuery,
} from '../router/resources.ts'
import { storePage, storeQuery } from '../router/store-query.ts'
import { type OnChange, unheard } from './changes.ts'
import { notNamed, withHiddenValues } from './hidden-values.ts'
import {
  type CompiledType,
  compileType,
  type ManagedSet,
  type ManagedWrite,
  managedSet,
  type TypeParts,
} from './managed-set.ts'
import { touches } from './places.ts'
import { plainParts } from './plain-parts.ts'
import { type Retrieval, retrieval } from './retrieval.ts'
import { triggerSyncCheck } from './sync-check.ts'
import { collectionOf, type ManagedType, propertiesOf } from './type.ts'
import { actionScript } from './type-scripts.ts'
import { unsupportedFeatures } from './unsupported.ts'
import { visibility } from './visible.ts'

/**
 * `managed/{type}[/{id}]` (platform specification §6.2): objects that live in the repository, described by
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
  /** Absent: nobody listens. */
  readonly onChange?: OnChange
}): Promise<ResourceProvider> {
  const {
    repository,
    types,
    enforcePolicies = true,
    partsOf = () => plainParts,
    onChange = unheard,
  } = options
  for (const type of types) refuseUnsupported(type, partsOf(type))
  const sets = new Map(
    types.map((type) => [
      type.name,
      managedSet(repository, compileType(type, enforcePolicies, partsOf(type)), onChange),
    ]),
  )
  for (const type of types) await repository.objects.declare(collectionOf(type), indexed(type))
  return provider(repository, sets)
}

/** How often a patch without a revision starts again on the fresh object (platform specification §1.4, [D]). */
const patchRetries = 5

function provider(repository: Repository, sets: ReadonlyMap<string, ManagedSet>): ResourceProvider {
  const setOf = (path: string): ManagedSet => requiredSet(sets, splitPath(path), path)
  const objectAt = (path: string) => managedObjectAt(sets, path)
  return {
    async read(path, request) {
      const { set, id } = objectAt(path)
      return seen(set, await retrieved(set, await storedObject(set, id), request), request)
    },
    async query(path, query, request) {
      const set = setOf(path)
      if (request.external) refusePrivateQuestions(set, query)
      const { retrieval } = faces(set)
      const page = await repository.objects.query(set.path, storeQuery(query))
      const executeOnRetrieve = query.parameters?.executeOnRetrieve === 'true'
      const result = retrieval
        ? await retrieval.queried(page.result, request, executeOnRetrieve)
        : page.result
      return storePage({ ...page, result }, (object) => seen(set, object, { ...request, ...query }))
    },
    create: async (path, id, content, request) => {
      const set = setOf(path)
      return seen(set, await applyOne(set, { operation: 'create', id, content }, request), request)
    },
    async update(path, rev, content, request) {
      const { set, id } = objectAt(path)
      return seen(set, await applyOne(set, { operation: 'update', id, rev, content }, request), request)
    },
    async patch(path, rev, operations, request) {
      const { set, id } = objectAt(path)
      return seen(set, await patchObject(set, id, rev, operations, request), request)
    },
    async delete(path, rev, request) {
      const { set, id } = objectAt(path)
      return seen(set, await applyOne(set, { operation: 'delete', id, rev }, request), request)
    },
    async action(path, action, request) {
      const { _queryFilter } = action.parameters
      if (request.external && _queryFilter !== undefined && sets.has(path))
        refusePrivateQuestions(setOf(path), { filter: parseFilter(_queryFilter) })
      if (action.name === 'patch') {
        const { set, id } = await actionTarget(repository, sets, path, action)
        return seen(set, await patchObject(set, id, undefined, parsePatch(action.content), request), request)
      }
      if (action.name === 'triggerSyncCheck') return triggerSyncCheck(repository, sets, path, action, request)
      return ownAction(objectAt(path), action, request)
    },
    objectSet: (path) => sets.get(path),
  }
}

/** Compiled once a set, when it is first used. */
const knownFaces = new WeakMap<
  CompiledType,
  { readonly retrieval: Retrieval | undefined; readonly visible: ReturnType<typeof visibility> }
>()

function faces({ compiled }: ManagedSet) {
  const known = knownFaces.get(compiled) ?? { retrieval: retrieval(compiled), visible: visibility(compiled) }
  knownFaces.set(compiled, known)
  return known
}

function seen(
  set: ManagedSet,
  object: Resource,
  request: RequestContext & { readonly fields?: readonly Pointer[] | undefined },
): Resource {
  return faces(set).visible(object as StoredObject, request)
}

async function retrieved(
  set: ManagedSet,
  object: StoredObject,
  request: RequestContext,
): Promise<StoredObject> {
  return (await faces(set).retrieval?.one(object, request)) ?? object
}

/** `actions.<name>` of the type (platform specification §6.2): the value of the script is the answer. */
async function ownAction(
  { set, id }: { readonly set: ManagedSet; readonly id: string },
  { name, parameters, content }: ResourceAction,
  request: RequestContext,
): Promise<Json> {
  const { scripts, collection } = set.compiled
  if (!scripts.has(actionScript(name)))
    throw new Problem('NOT_IMPLEMENTED', `${collection} does not offer the action "${name}"`)
  const object = await storedObject(set, id)
  const variables = {
    object,
    resourceName: `${collection}/${id}`,
    request: { action: name, content, resourcePath: `${collection}/${id}`, additionalParameters: parameters },
  }
  return (await scripts.run(actionScript(name), variables, request)).value ?? null
}

async function patchObject(
  set: ManagedSet,
  id: string,
  rev: string | undefined,
  operations: readonly PatchOperation[],
  request: RequestContext,
): Promise<Resource> {
  if (request.external) refusePrivateSources(set, operations)
  const patched = touchedProperties(operations)
  const named = operations.flatMap((one) => (one.operation === 'move' ? [one.field, one.from] : [one.field]))
  for (let attempt = 0; ; attempt++) {
    const stored = await storedObject(set, id)
    const patchedObject = applyPatch(stored, operations)
    const content = request.external
      ? withHiddenValues(patchedObject, stored, notNamed(set.compiled.sealing.private, named))
      : patchedObject
    try {
      const write = { operation: 'update', id, rev: rev ?? stored._rev, content, patched } as const
      return await applyOne(set, write, request)
    } catch (error) {
      const outrun = error instanceof Problem && error.code === 'PRECONDITION_FAILED'
      if (rev !== undefined || !outrun || attempt === patchRetries) throw error
    }
  }
}

/** Who does not see a value does not get it by having it copied to where he does. */
function refusePrivateSources({ path, compiled }: ManagedSet, operations: readonly PatchOperation[]): void {
  for (const operation of operations) {
    if (operation.operation !== 'copy' && operation.operation !== 'move') continue
    if (compiled.sealing.private.some((place) => touches(place, operation.from)))
      throw new Problem('FORBIDDEN', `${path}: ${printPointer(operation.from)} may not be read from outside`)
  }
}

/** Nor by asking for objects that have it, value after value. */
function refusePrivateQuestions(
  { path, compiled }: ManagedSet,
  { filter, sortKeys = [] }: ResourceQuery,
): void {
  const hidden = compiled.sealing.private
  if (hidden.length === 0) return
  for (const pointer of [...pointersOf(filter), ...sortKeys.map((key) => key.pointer)])
    if (hidden.some((place) => touches(place, pointer)))
      throw new Problem('FORBIDDEN', `${path}: ${printPointer(pointer)} may not be asked for from outside`)
}

/** Top-level names only: policies are attached to those. */
function touchedProperties(operations: readonly PatchOperation[]): ReadonlySet<string> {
  const pointers = operations.flatMap((one) =>
    one.operation === 'move' ? [one.field, one.from] : [one.field],
  )
  return new Set(pointers.map(([name]) => name as string))
}

/** The action `patch` names its object by path or by a query that matches exactly one. */
async function actionTarget(
  repository: Repository,
  sets: ReadonlyMap<string, ManagedSet>,
  path: string,
  { parameters }: ResourceAction,
): Promise<{ set: ManagedSet; id: string }> {
  const segments = splitPath(path)
  if (segments.length > 1) return managedObjectAt(sets, path)
  const set = requiredSet(sets, segments, path)
  const text = parameters._queryFilter
  if (text === undefined)
    throw new Problem('BAD_REQUEST', `The action "patch" on managed/${path} needs _queryFilter`)
  const { result } = await repository.objects.query(set.path, { filter: parseFilter(text), pageSize: 2 })
  const [found, another] = result
  if (!found) throw new Problem('NOT_FOUND', `No object of managed/${path} matches ${text}`)
  if (another)
    throw new Problem('BAD_REQUEST', `More than one object of managed/${path} matches ${text}`, {
      status: 500,
    })
  return { set, id: found._id }
}

async function applyOne(set: ManagedSet, write: ManagedWrite, request: RequestContext): Promise<Resource> {
  const [result] = await set.apply([write], request)
  if (!result?.ok) throw result?.error ?? new Problem('INTERNAL', `${set.path}: the write had no outcome`)
  return result.object
}

async function storedObject(set: ManagedSet, id: string): Promise<StoredObject> {
  const object = await set.stored(id)
  if (!object) throw new Problem('NOT_FOUND', `${set.path}/${id} does not exist`)
  return object
}

function managedObjectAt(
  sets: ReadonlyMap<string, ManagedSet>,
  path: string,
): { set: ManagedSet; id: string } {
  const [type, id, ...others] = splitPath(path)
  const set = requiredSet(sets, type === undefined ? [] : [type], path)
  if (id === undefined) {
    throw new Problem('BAD_REQUEST', `${set.path} is a set: query it with _queryFilter, or name an object`)
  }
  if (others.length > 0) throw new Problem('NOT_FOUND', `There is no resource managed/${path}`)
  return { set, id }
}

function requiredSet(
  sets: ReadonlyMap<string, ManagedSet>,
  segments: readonly string[],
  path: string,
): ManagedSet {
  const [type, ...others] = segments
  const set = type === undefined ? undefined : sets.get(type)
  if (!set) throw new Problem('NOT_FOUND', `There is no object type managed/${path}`)
  if (others.length > 0) throw new Problem('NOT_IMPLEMENTED', `managed/${path} is an object, not a set`)
  return set
}

function refuseUnsupported(type: ManagedType, { ownPolicies }: TypeParts): void {
  const found = unsupportedFeatures(type, ownPolicies?.known)
  if (found.length === 0) return
  const list = found.map(({ pointer, message }) => `${pointer.join('/')}: ${message}`)
  throw new Problem('CONFIGURATION', `managed/${type.name} cannot be used: ${list.join('; ')}`, {
    detail: found,
  })
}

/** `unique` asks for the same values at every write, so it needs the index as much as a search does. */
function indexed(type: ManagedType): readonly string[] {
  return propertiesOf(type.schema)
    .filter(
      ([, property]) =>
        property.searchable || property.policies?.some(({ policyId }) => policyId === 'unique'),
    )
    .map(([name]) => printPointer([name]))
}
