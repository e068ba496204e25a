import type { Filter } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import type { Json } from '../model/json.ts'
import { applyPatch, type PatchOperation, parsePatch } from '../model/patch.ts'
import { type Pointer, printPointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import { printReference, type Target } from '../model/reference.ts'
import { joinPath, splitPath } from '../model/resource-path.ts'
import type { Repository, StoredObject } from '../repository/repository.ts'
import type {
  RequestContext,
  Resource,
  ResourceAction,
  ResourceProvider,
  Resources,
} from '../router/resources.ts'
import { storePage, storeQuery } from '../router/store-query.ts'
import { type ManagedSet, managedSet } from './managed-set.ts'
import { notNamed, withHiddenValues } from './read/hidden-values.ts'
import { plainParts } from './read/plain-parts.ts'
import { refusePrivateQuestions } from './read/private-questions.ts'
import { relationshipModel } from './relationships/model.ts'
import { namingReferences, presentation } from './relationships/present.ts'
import { Recomputation } from './relationships/recompute.ts'
import { relationshipResources } from './relationships/resource.ts'
import { temporalTriggers } from './relationships/temporal-triggers.ts'
import { storeFilter } from './relationships/view.ts'
import { editsByPatch, isAbout, shown } from './relationships/wanted.ts'
import { compileType, type TypeParts } from './type/compile.ts'
import { touches } from './type/places.ts'
import { actionScript } from './type/scripts.ts'
import { type ManagedType, propertiesOf } from './type/type.ts'
import { unsupportedFeatures } from './type/unsupported.ts'
import { type OnChange, unheard } from './write/changes.ts'
import type { ManagedWrite } from './write/entry.ts'
import { type SyncCheckOptions, triggerSyncCheck } from './write/sync-check.ts'

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
  /** Absent: nobody listens. */
  readonly onChange?: OnChange
  /** Objects that relationships refer to outside of the repository; absent: there are none. */
  readonly resources?: () => Pick<Resources, 'read'>
  readonly log?: (level: 'info' | 'warn' | 'error', message: string) => void
  /** ms since 1970; a test has a clock of its own. */
  readonly now?: () => number
}): Promise<ManagedObjects> {
  const {
    repository,
    types,
    enforcePolicies = true,
    partsOf = () => plainParts,
    onChange = unheard,
    resources,
    log = () => {},
    now = Date.now,
  } = options
  for (const type of types) refuseUnsupported(type, partsOf(type))
  const sets = new Map<string, ManagedSet>()
  const typeOf = (collection: string) => sets.get(collection.replace(/^managed\//, ''))?.compiled
  const relationsOf = (collection: string) => typeOf(collection)?.relations
  const recomputation = new Recomputation({ repository, onChange, relationsOf, log, now })
  const model = relationshipModel(types)
  const services = {
    ...{ now, typeOf },
    exists: async (target: Target) => (await outside(resources, target)) !== undefined,
    recompute: recomputation.recompute.bind(recomputation),
    expect: recomputation.expect.bind(recomputation),
  }
  for (const type of types) {
    const compiled = compileType(type, enforcePolicies, partsOf(type), model && { model, services })
    sets.set(type.name, managedSet(repository, compiled, onChange))
    const conditional = [...(model?.types.values() ?? [])].flatMap(({ properties }) =>
      [...properties.values()].flatMap(({ conditions }) => conditions.get(compiled.collection) ?? []),
    )
    await repository.objects.declare(compiled.collection, [
      ...indexed(type),
      ...conditional.map((name) => printPointer([name])),
    ])
  }
  if (model) await repository.objects.declare(temporalTriggers, ['/due'])
  return {
    ...provider({
      ...{ repository, sets, refresh: recomputation.refresh.bind(recomputation) },
      outside: (target) => outside(resources, target),
    }),
    start: async () => {
      if (model) await recomputation.start()
    },
    [Symbol.asyncDispose]: () => recomputation[Symbol.asyncDispose](),
  }
}

/** The provider, and what it does by itself while a server runs. */
export interface ManagedObjects extends ResourceProvider, AsyncDisposable {
  /** Takes up what depends on earlier changes, and from then on what time brings. */
  start(): Promise<void>
}

/** An object that is not in the repository; undefined if there is none. */
async function outside(
  resources: (() => Pick<Resources, 'read'>) | undefined,
  target: Target,
): Promise<Resource | undefined> {
  const request = { external: false, userId: 'system', roles: [], transactionId: 'relationship' }
  // Service roles, which are no objects here: whoever refers to them means that they are there.
  if (/^(?:repo\/)?internal\//.test(target.collection)) return { _id: target.id }
  try {
    return await resources?.().read(printReference(target), request)
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return undefined
    throw error
  }
}

/** How often a patch without a revision starts again on the fresh object (platform §1.4, [D]). */
const patchRetries = 5

type Outside = (target: Target) => Promise<Resource | undefined>

function provider({
  outside,
  ...options
}: SyncCheckOptions & { readonly outside: Outside }): ResourceProvider {
  const { repository, sets } = options
  const setOf = (path: string): ManagedSet => requiredSet(sets, splitPath(path), path)
  const objectAt = (path: string) => managedObjectAt(sets, path)
  const present = presentation({ repository, sets, outside })
  const below = relationshipResources({ repository, sets, present })
  /** After the scripts of reading, with the relationships that were asked for. */
  const answer = async (set: ManagedSet, object: Resource, request: Asked) =>
    seen(set, await present.one(set, object as StoredObject, request), request)
  return {
    async read(path, request) {
      const relationship = below.at(path)
      if (relationship) return relationship.read(request)
      const { set, id } = objectAt(path)
      const object = await present.one(set, await storedObject(set, id), request)
      return seen(set, await retrieved(set, object, request), request)
    },
    async query(path, query, request) {
      const relationship = below.at(path)
      if (relationship) return relationship.query(query, request)
      const set = setOf(path)
      if (request.external) refusePrivateQuestions(sets, set, query)
      const { retrieval } = set.compiled
      const filter = await filterOf(repository, set, query.filter)
      const page = await repository.objects.query(set.path, storeQuery({ ...query, filter }))
      const executeOnRetrieve = query.parameters?.executeOnRetrieve === 'true'
      const asked = { ...request, ...query }
      const objects = await present.many(set, page.result, asked)
      const result = retrieval ? await retrieval.queried(objects, request, executeOnRetrieve) : objects
      return storePage({ ...page, result }, (object) => seen(set, object, asked))
    },
    create: async (path, id, content, request) => {
      const relationship = below.at(path)
      if (relationship) return relationship.create(id, content, request)
      const single = id === undefined ? undefined : below.at(`${path}/${joinPath(id)}`)
      if (single) return single.put(content, request)
      const set = setOf(path)
      return answer(set, await applyOne(set, { operation: 'create', id, content }, request), request)
    },
    async update(path, rev, content, request) {
      const relationship = below.at(path)
      if (relationship) return relationship.update(rev, content, request)
      const { set, id } = objectAt(path)
      return answer(set, await applyOne(set, { operation: 'update', id, rev, content }, request), request)
    },
    async patch(path, rev, operations, request) {
      const relationship = below.at(path)
      if (relationship) return relationship.patch(rev, operations, request)
      const { set, id } = objectAt(path)
      return answer(set, await patchObject(repository, set, id, rev, operations, request), request)
    },
    async delete(path, rev, request) {
      const relationship = below.at(path)
      if (relationship) return relationship.delete(rev, request)
      const { set, id } = objectAt(path)
      return seen(set, await applyOne(set, { operation: 'delete', id, rev }, request), request)
    },
    async action(path, action, request) {
      const { _queryFilter } = action.parameters
      const asked = setAt(sets, path)
      if (request.external && _queryFilter !== undefined && asked)
        refusePrivateQuestions(sets, asked, { filter: parseFilter(_queryFilter) })
      if (action.name === 'patch') {
        const { set, id } = await actionTarget(repository, sets, path, action)
        const operations = parsePatch(action.content)
        return answer(set, await patchObject(repository, set, id, undefined, operations, request), request)
      }
      if (action.name === 'triggerSyncCheck') return triggerSyncCheck(options, path, action, request)
      return ownAction(objectAt(path), action, request)
    },
    objectSet: (path) => setAt(sets, path),
  }
}

async function filterOf(repository: Repository, { compiled }: ManagedSet, filter: Filter): Promise<Filter> {
  return compiled.relations ? storeFilter(repository, compiled.relations, filter) : filter
}

type Asked = RequestContext & { readonly fields?: readonly Pointer[] | undefined }

function seen(
  set: ManagedSet,
  object: Resource,
  request: RequestContext & { readonly fields?: readonly Pointer[] | undefined },
): Resource {
  const fields = namingReferences(set.compiled.relations?.type, request.fields)
  return set.compiled.visible(object as StoredObject, { ...request, fields })
}

async function retrieved(
  set: ManagedSet,
  object: StoredObject,
  request: RequestContext,
): Promise<StoredObject> {
  return (await set.compiled.retrieval?.one(object, request)) ?? object
}

/** `actions.<name>` of the type (platform §6.2): the value of the script is the answer. */
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
  repository: Repository,
  set: ManagedSet,
  id: string,
  rev: string | undefined,
  operations: readonly PatchOperation[],
  request: RequestContext,
): Promise<Resource> {
  if (request.external) refusePrivateSources(set, operations)
  const patched = touchedProperties(operations)
  const named = operations.flatMap((one) => (one.operation === 'move' ? [one.field, one.from] : [one.field]))
  const { relations } = set.compiled
  const own = relations ? operations.filter((operation) => !isAbout(relations.type, operation)) : operations
  for (let attempt = 0; ; attempt++) {
    const stored = await storedObject(set, id)
    const patchedObject = applyPatch(stored, own)
    const content = request.external
      ? withHiddenValues(patchedObject, stored, notNamed(set.compiled.encryption.private, named))
      : patchedObject
    const edits =
      relations && (await editsByPatch(relations.type, operations, propertyAt(repository, set, id)))
    try {
      return await applyOne(
        set,
        { operation: 'update', id, rev, content, patched, edits, known: stored },
        request,
      )
    } catch (error) {
      const outrun = error instanceof Problem && error.code === 'PRECONDITION_FAILED'
      if (rev !== undefined || !outrun || attempt === patchRetries) throw error
    }
  }
}

/** The relationships of one property of one object, as references. */
function propertyAt(repository: Repository, { compiled }: ManagedSet, id: string) {
  return async (name: string): Promise<Json> => {
    const property = compiled.relations?.type.properties.get(name)
    const found = await repository.relationships.of(compiled.collection, [id], { properties: [name] })
    return property ? shown(property, found.get(id) ?? []) : null
  }
}

/** Who does not see a value does not get it by having it copied to where he does. */
function refusePrivateSources({ path, compiled }: ManagedSet, operations: readonly PatchOperation[]): void {
  for (const operation of operations) {
    if (operation.operation !== 'copy' && operation.operation !== 'move') continue
    if (compiled.encryption.private.some((place) => touches(place, operation.from)))
      throw new Problem('FORBIDDEN', `${path}: ${printPointer(operation.from)} may not be read from outside`)
  }
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
  const filter = await filterOf(repository, set, parseFilter(text))
  const { result } = await repository.objects.query(set.path, { filter, pageSize: 2 })
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

function setAt(sets: ReadonlyMap<string, ManagedSet>, path: string): ManagedSet | undefined {
  const [type = '', ...deeper] = splitPath(path)
  return deeper.length > 0 ? undefined : sets.get(type)
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
