import type { Json } from '../model/json.ts'
import { parsePatch } from '../model/patch.ts'
import { Problem } from '../model/problem.ts'
import { selected, selectionIn } from '../model/query-words.ts'
import { joinPath, splitPath } from '../model/resource-path.ts'
import type { StoredObject } from '../repository/objects.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../router/resources.ts'
import { storePage, storeQuery } from '../router/store-query.ts'
import {
  type Asked,
  type ManagedSet,
  type ObjectAt,
  objectAt,
  type SetServices,
  type Sets,
  setAt,
} from './managed-set.ts'
import { refusePrivateQuestions } from './read/private-questions.ts'
import { namingReferences, presented } from './relationships/present.ts'
import { actionScript } from './type/scripts.ts'
import type { ManagedWrite } from './write/entry.ts'
import { patchObject } from './write/patch.ts'
import { triggerSyncCheck } from './write/sync-check.ts'

/** `managed/{type}[/{id}]` (platform §6.2). */
export function objectResources(services: SetServices): Required<ResourceProvider> {
  const { sets } = services
  const shown = async (set: ManagedSet, object: StoredObject, request: Asked) =>
    (await presented(services, set, [object], request))[0] ?? object
  /** A write's answer: with the relationships that were asked for, without the scripts of reading. */
  const answer = async (set: ManagedSet, written: Promise<StoredObject>, request: Asked) =>
    visible(set, await shown(set, await written, request), request)
  const write = (set: ManagedSet, one: ManagedWrite, request: Asked) =>
    answer(set, set.applyOne(one, request), request)
  return {
    async read(path, request) {
      const { set, id } = objectAt(sets, path)
      const object = await shown(set, await set.required(id), request)
      const [read = object] = await set.retrieved([object], request)
      return visible(set, read, request)
    },
    async query(path, query, request) {
      const set = setAt(sets, path)
      if (request.external) refusePrivateQuestions(sets, set, query)
      const filter = await set.filter(query.filter)
      const page = await set.store.objects.query(set.path, storeQuery({ ...query, filter }))
      const executeOnRetrieve = query.parameters?.executeOnRetrieve === 'true'
      const asked = { ...request, ...query }
      const objects = await presented(services, set, page.result, asked)
      const { retrieval } = set.compiled
      const result = retrieval ? await retrieval.queried(objects, request, executeOnRetrieve) : objects
      return storePage({ ...page, result }, (object) => visible(set, object, asked))
    },
    async create(path, id, content, request) {
      return write(setAt(sets, path), { operation: 'create', id, content }, request)
    },
    async update(path, rev, content, request) {
      const { set, id } = objectAt(sets, path)
      return write(set, { operation: 'update', id, rev, content }, request)
    },
    async patch(path, rev, operations, request) {
      const { set, id } = objectAt(sets, path)
      return answer(set, patchObject(set, id, rev, operations, request), request)
    },
    async delete(path, rev, request) {
      const { set, id } = objectAt(sets, path)
      return visible(set, await set.applyOne({ operation: 'delete', id, rev }, request), request)
    },
    async action(path, action, request) {
      const all = sets.get(`managed/${path}`)
      const question = all && selectedBy(path, action)
      if (request.external && question) refusePrivateQuestions(sets, all, question)
      if (action.name === 'triggerSyncCheck') return triggerSyncCheck(services, path, action, request)
      if (action.name !== 'patch') return ownAction(objectAt(sets, path), action, request)
      const { set, id } = await patchTarget(sets, path, action)
      return answer(set, patchObject(set, id, undefined, parsePatch(action.content), request), request)
    },
    objectSet: (path) => sets.get(`managed/${path}`),
  }
}

function visible({ compiled }: ManagedSet, object: StoredObject, request: Asked): Resource {
  const fields = namingReferences(compiled.relations?.type, request.fields)
  return compiled.visible(object, { ...request, fields })
}

/** `actions.<name>` of the type (platform §6.2): the value of the script is the answer. */
async function ownAction(
  { set, id }: ObjectAt,
  { name, parameters, content }: ResourceAction,
  request: RequestContext,
): Promise<Json> {
  const { scripts, collection } = set.compiled
  if (!scripts.has(actionScript(name)))
    throw new Problem('BAD_REQUEST', `${collection} does not offer the action "${name}"`)
  const object = await set.required(id)
  const resourceName = `${collection}/${joinPath(id)}`
  const variables = {
    object,
    resourceName,
    request: { action: name, content, resourcePath: resourceName, additionalParameters: parameters },
  }
  return (await scripts.run(actionScript(name), variables, request)).value ?? null
}

/** The objects that the parameters of an action name by a query; undefined: by none. */
function selectedBy(path: string, { parameters }: ResourceAction) {
  const selection = selectionIn(parameters)
  return selection && selected(selection, parameters, `managed/${path}`)
}

/** The action `patch` names its object by path or by a query that matches exactly one. */
async function patchTarget(sets: Sets, path: string, action: ResourceAction): Promise<ObjectAt> {
  const { parameters } = action
  if (splitPath(path).length > 1) return objectAt(sets, path)
  const set = setAt(sets, path)
  const asked = selectedBy(path, action)
  if (!asked) throw new Problem('BAD_REQUEST', `The action "patch" on managed/${path} needs _queryFilter`)
  const text = parameters._queryFilter ?? `the query ${parameters._queryId}`
  const filter = await set.filter(asked.filter)
  const { result } = await set.store.objects.query(set.path, { filter, pageSize: 2 })
  const [found, another] = result
  if (!found) throw new Problem('NOT_FOUND', `No object of managed/${path} matches ${text}`)
  if (another)
    throw new Problem('BAD_REQUEST', `More than one object of managed/${path} matches ${text}`, {
      status: 500,
    })
  return { set, id: found._id }
}
