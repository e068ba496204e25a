import { asObject, type Json, type JsonObject, member, setMember } from '../../model/json.ts'
import { applyPatch, type PatchOperation } from '../../model/patch.ts'
import type { Pointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { joinPath, splitPath } from '../../model/resource-path.ts'
import { requireReadable } from '../../model/unreadable.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import type { System, SystemEnvironment } from './open-system.ts'
import { systemActions, testReport } from './system-actions.ts'
import type { SystemObjects } from './system-objects.ts'
import type { PropertyDelta, SystemWriteRequest } from './write-objects.ts'

/**
 * `system/{name}/{type}[/{id}]` (platform §4.5, §4.6): the objects of all systems behind the router.
 * `systems` is called for every request, so systems may be added and removed.
 */
export function systemProvider(
  systems: ReadonlyMap<string, System>,
  environment: SystemEnvironment,
): ResourceProvider {
  return {
    async read(path, { fields }) {
      const { objects, id } = objectAt(systems, path)
      return fields ? readFields(objects, id, fields) : stored(objects, id)
    },
    query: async (path, query) => setAt(systems, path).query(query),
    async create(path, id, content, request) {
      const objects = setAt(systems, path)
      if (id === undefined) return written(objects, { operation: 'create', content }, request)
      if (request.external) await refuseChosenId(objects, id)
      // The engine proposes the id of its recorded intent: where the system leaves the choice, it must be this one.
      return written(objects, { operation: 'create', id, content }, request)
    },
    async update(path, rev, content, request) {
      const { objects, id } = objectAt(systems, path)
      return written(objects, { operation: 'update', id, rev, content }, request)
    },
    async patch(path, rev, operations, request) {
      const { objects, id } = objectAt(systems, path)
      const object = await stored(objects, id)
      const { deltas, others } = deltasIn(operations, (name) => objects.isList(name))
      const content = patched(object, others)
      return written(objects, { operation: 'update', id, rev, content, deltas }, request)
    },
    async delete(path, rev, request) {
      const { objects, id } = objectAt(systems, path)
      const object = await stored(objects, id)
      await written(objects, { operation: 'delete', id, rev }, request)
      return object
    },
    async action(path, action, request) {
      if (action.name === 'liveSync' || action.name === 'activeSync')
        return startLiveSync(systems, environment, path, action, request)
      const [name, type, ...deeper] = splitPath(path)
      const ofAll = name === undefined && Object.hasOwn(systemActions, action.name)
      const perform = ofAll ? systemActions[action.name] : undefined
      if (perform) return perform(systems, environment, action)
      if (action.name === 'test' && name !== undefined && type === undefined)
        return testReport(systemNamed(systems, name))
      if (action.name === 'script' && name !== undefined && type === undefined)
        return runScript(systemNamed(systems, name), action, request)
      if (action.name !== 'authenticate' || type === undefined || deeper.length > 0)
        throw notOffered(path, action)
      const [username, password] = [parameter(action, 'username'), parameter(action, 'password')]
      return { _id: await setAt(systems, path).authenticate(username, password) }
    },
    objectSet(path) {
      const [name, type, ...deeper] = splitPath(path)
      return deeper.length > 0 ? undefined : systems.get(name ?? '')?.objects.get(type ?? '')
    },
  }
}

async function runScript(system: System, action: ResourceAction, request: RequestContext): Promise<Json> {
  if (!request.readOnly) return system.script(action)
  const fact = `the script of system/${system.name} is not run, because nothing may change`
  request.onRefusedWrite?.(fact)
  throw new Problem('FORBIDDEN', `dry run: ${fact}`)
}

async function readFields(objects: SystemObjects, id: string, fields: readonly Pointer[]): Promise<Resource> {
  const filter = { kind: 'compare', operator: 'eq', pointer: ['_id'], value: id } as const
  for await (const [object] of objects.pages({ filter, fields, pageSize: 1 }))
    if (object) return requireReadable(object)
  throw notFound(objects, id)
}

async function stored(objects: SystemObjects, id: string): Promise<Resource> {
  const object = (await objects.readMany([id])).get(id)
  if (object) return requireReadable(object)
  throw notFound(objects, id)
}

function notFound({ path }: SystemObjects, id: string): Problem {
  return new Problem('NOT_FOUND', `There is no object "${id}" in ${path}`)
}

/** A PUT of an existing object continues as an update; only then must the conflict be reported. */
async function refuseChosenId(objects: SystemObjects, id: string): Promise<never> {
  const exists = (await objects.readMany([id])).has(id)
  if (exists) throw new Problem('PRECONDITION_FAILED', `${objects.path} already has an object "${id}"`)
  throw new Problem(
    'BAD_REQUEST',
    `Objects of a system are created with POST to ${objects.path}; the system chooses the id. PUT only updates`,
  )
}

async function written(
  objects: SystemObjects,
  write: SystemWriteRequest,
  request: RequestContext,
): Promise<Resource> {
  const [result] = await objects.writeMany([write], request)
  if (result?.ok) return result.object
  throw result?.error ?? new Problem('INTERNAL', `${objects.path} gave no outcome for a write`)
}

/**
 * Values that operations add to a list or remove from it. They are sent as such, so that no value is lost
 * that another program adds at the same time. Properties that also change in another way are excluded.
 */
function deltasIn(
  operations: readonly PatchOperation[],
  isList: (name: string) => boolean,
): { readonly deltas: readonly PropertyDelta[]; readonly others: readonly PatchOperation[] } {
  const isSource = (name: string) =>
    operations.some((operation) => 'from' in operation && operation.from[0] === name)
  const byName = Map.groupBy(operations, ({ field }) => field[0] ?? '')
  const deltas = [...byName].flatMap(([property, ofProperty]): PropertyDelta[] => {
    const changes = ofProperty.map(deltaOf)
    if (!isList(property) || isSource(property) || !changes.every((one) => one !== undefined)) return []
    // The later one of two operations on the same value counts.
    const last = [...new Map(changes.map((one) => [JSON.stringify(one.value), one])).values()]
    const valuesOf = (kind: 'add' | 'remove') =>
      last.filter((one) => one.kind === kind).map(({ value }) => value)
    return [{ property, add: valuesOf('add'), remove: valuesOf('remove') }]
  })
  const isDelta = new Set(deltas.map(({ property }) => property))
  return { deltas, others: operations.filter(({ field }) => !isDelta.has(field[0] ?? '')) }
}

/** One value to add or remove. */
function deltaOf(
  operation: PatchOperation,
): { readonly kind: 'add' | 'remove'; readonly value: Json } | undefined {
  if (operation.field.length !== 1) return undefined
  if (operation.operation === 'add' && operation.append) return { kind: 'add', value: operation.value }
  const isRemoval = operation.operation === 'remove' && operation.value !== undefined
  return isRemoval ? { kind: 'remove', value: operation.value ?? null } : undefined
}

/** The members that the operations change, as an update: null where one is removed. */
function patched(object: Resource, operations: readonly PatchOperation[]): JsonObject {
  const result = applyPatch(object, operations)
  const content: JsonObject = {}
  for (const operation of operations) {
    const touched = operation.operation === 'move' ? [operation.from, operation.field] : [operation.field]
    for (const [name] of touched) setMember(content, name as string, member(result, name as string) ?? null)
  }
  return content
}

/** On one object set, or on `system` with the parameter `source` (engine §9). */
async function startLiveSync(
  systems: ReadonlyMap<string, System>,
  environment: SystemEnvironment,
  path: string,
  { parameters, content }: ResourceAction,
  request: RequestContext,
): Promise<Json> {
  if (path === '' && !parameters.source)
    throw new Problem('BAD_REQUEST', 'liveSync on system needs the parameter source, e.g. system/hr/account')
  const segments = path === '' ? splitPath(parameters.source ?? '') : ['system', ...splitPath(path)]
  const [root, name = '', ...type] = segments
  const source = segments.join('/')
  if (root !== 'system') throw new Problem('BAD_REQUEST', `${source} is no object set of a system`)
  if (!systems.has(name)) throw new Problem('UNAVAILABLE', `There is no system ${name}`)
  setAt(systems, joinPath(name, ...type))
  if (!environment.liveSync)
    throw new Problem(
      'NOT_IMPLEMENTED',
      'nothing is carried on here: only a project that is open synchronizes',
    )
  const detailedFailure = parameters.detailedFailure === 'true'
  const fromBeginning = parameters.fromBeginning === 'true'
  const overrides = overridesIn({ ...parameters, ...asObject(content) })
  return environment.liveSync({ source, detailedFailure, fromBeginning, overrides }, request)
}

/** What a call may allow instead of the mappings' settings. */
function overridesIn({ allowEmptySourceSet, guard, overrideGuard, reason }: JsonObject): JsonObject {
  const given = Object.entries({ allowEmptySourceSet, guard, overrideGuard, reason })
  return Object.fromEntries(given.filter(([, value]) => value !== undefined))
}

function notOffered(path: string, { name }: ResourceAction): Problem {
  return new Problem(
    'BAD_REQUEST',
    `${path ? `system/${path}` : 'system'} does not offer the action "${name}"`,
  )
}

function parameter({ parameters, content }: ResourceAction, name: string): string {
  const value = parameters[name] ?? asObject(content)[name]
  if (typeof value === 'string') return value
  throw new Problem('BAD_REQUEST', `The action "authenticate" needs the parameter ${name}`)
}

function systemNamed(systems: ReadonlyMap<string, System>, name: string): System {
  const system = systems.get(name)
  if (system) return system
  throw new Problem(
    'NOT_FOUND',
    `There is no system ${name}; there are: ${[...systems.keys()].join(', ') || 'none'}`,
  )
}

function setAt(systems: ReadonlyMap<string, System>, path: string): SystemObjects {
  const [name = '', type, ...deeper] = splitPath(path)
  const system = systemNamed(systems, name)
  if (type === undefined) {
    throw new Problem(
      'NOT_IMPLEMENTED',
      `system/${name} holds object types, no objects; add one: system/${name}/account`,
    )
  }
  const objects = system.objects.get(type)
  if (!objects) {
    const types = [...system.objects.keys()].join(', ') || 'none'
    throw new Problem('NOT_FOUND', `The system ${name} has no object type ${type}; it has: ${types}`)
  }
  if (deeper.length > 0)
    throw new Problem('NOT_IMPLEMENTED', `system/${path} is an object, not a set of objects`)
  return objects
}

function objectAt(
  systems: ReadonlyMap<string, System>,
  path: string,
): { readonly objects: SystemObjects; readonly id: string } {
  const [, , id, ...deeper] = splitPath(path)
  if (id === undefined) {
    throw new Problem(
      'NOT_IMPLEMENTED',
      `system${path ? `/${path}` : ''} is no object; name one by its id, or query`,
    )
  }
  if (deeper.length > 0) throw new Problem('NOT_FOUND', `There is no resource system/${path}`)
  return { objects: setAt(systems, path.split('/').slice(0, 2).join('/')), id }
}
