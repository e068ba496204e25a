import { parseFilter } from '../model/filter-parse.ts'
import { applyPatch, type PatchOperation, parsePatch } from '../model/patch.ts'
import { printPointer } from '../model/pointer.ts'
import { Problem } from '../model/problem.ts'
import type { Repository } from '../repository/repository.ts'
import { splitPath } from '../router/path.ts'
import type { Resource, ResourceAction, ResourceProvider } from '../router/resources.ts'
import { storePage, storeQuery } from '../router/store-query.ts'
import { compileType, type ManagedSet, type ManagedWrite, managedSet } from './managed-set.ts'
import { collectionOf, type ManagedType, propertiesOf } from './type.ts'
import { unsupportedFeatures } from './unsupported.ts'

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
}): Promise<ResourceProvider> {
  const { repository, types, enforcePolicies = true } = options
  types.forEach(refuseUnsupported)
  const sets = new Map(
    types.map((type) => [type.name, managedSet(repository, compileType(type, enforcePolicies))]),
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
    async read(path) {
      const { set, id } = objectAt(path)
      return storedObject(set, id)
    },
    async query(path, query) {
      return storePage(
        await repository.objects.query(setOf(path).path, storeQuery(query)),
        (object) => object,
      )
    },
    create: async (path, id, content) => applyOne(setOf(path), { operation: 'create', id, content }),
    async update(path, rev, content) {
      const { set, id } = objectAt(path)
      return applyOne(set, { operation: 'update', id, rev, content })
    },
    async patch(path, rev, operations) {
      const { set, id } = objectAt(path)
      return patchObject(set, id, rev, operations)
    },
    async delete(path, rev) {
      const { set, id } = objectAt(path)
      return applyOne(set, { operation: 'delete', id, rev })
    },
    async action(path, action) {
      if (action.name !== 'patch') {
        throw new Problem('NOT_IMPLEMENTED', `managed/${path} does not offer the action "${action.name}"`)
      }
      const { set, id } = await actionTarget(repository, sets, path, action)
      return patchObject(set, id, undefined, parsePatch(action.content))
    },
    objectSet: (path) => sets.get(path),
  }
}

async function patchObject(
  set: ManagedSet,
  id: string,
  rev: string | undefined,
  operations: readonly PatchOperation[],
): Promise<Resource> {
  const patched = touchedProperties(operations)
  for (let attempt = 0; ; attempt++) {
    const stored = await storedObject(set, id)
    const content = applyPatch(stored, operations)
    try {
      return await applyOne(set, { operation: 'update', id, rev: rev ?? stored._rev, content, patched })
    } catch (error) {
      const outrun = error instanceof Problem && error.code === 'PRECONDITION_FAILED'
      if (rev !== undefined || !outrun || attempt === patchRetries) throw error
    }
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
  const { result } = await repository.objects.query(set.path, { filter: parseFilter(text), pageSize: 2 })
  const [found, another] = result
  if (!found) throw new Problem('NOT_FOUND', `No object of managed/${path} matches ${text}`)
  if (another)
    throw new Problem('BAD_REQUEST', `More than one object of managed/${path} matches ${text}`, {
      status: 500,
    })
  return { set, id: found._id }
}

async function applyOne(set: ManagedSet, write: ManagedWrite): Promise<Resource> {
  const [result] = await set.apply([write])
  if (!result?.ok) throw result?.error ?? new Problem('INTERNAL', `${set.path}: the write had no outcome`)
  return result.object
}

async function storedObject(set: ManagedSet, id: string): Promise<Resource> {
  const object = (await set.readMany([id])).get(id)
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

function refuseUnsupported(type: ManagedType): void {
  const found = unsupportedFeatures(type)
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
