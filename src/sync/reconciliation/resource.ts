import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import type { Reconciliations } from './reconciliations.ts'
import { booleanIn, type ReconciliationRequest } from './request.ts'
import { statedMapping } from './stated-mapping.ts'

/** `recon[/{id}]` (engine specification §7.1). */
export function reconciliationProvider(reconciliations: Reconciliations): ResourceProvider {
  return {
    async read(path) {
      if (path !== '') return (await reconciliations.read(path)) as Resource
      return { _id: '', reconciliations: [...(await reconciliations.list())] }
    },
    async create(_path, id) {
      if (id !== undefined)
        throw new Problem('NOT_IMPLEMENTED', 'recon does not offer create: runs are started with _action')
      // A POST without _action: whoever sends one has forgotten it.
      throw new Problem('BAD_REQUEST', `recon needs the parameter _action, one of ${actions.join(', ')}`)
    },
    async delete(path, _rev, context) {
      if (path === '') throw new Problem('NOT_IMPLEMENTED', 'recon does not offer delete: name one run')
      return (await reconciliations.delete(path, context)) as Resource
    },
    async action(path, action, context) {
      if (path !== '') return actOnRun(reconciliations, path, action)
      return startRun(reconciliations, action, context)
    },
  }
}

const actions = ['recon', 'reconById']

async function actOnRun(
  reconciliations: Reconciliations,
  id: string,
  { name }: ResourceAction,
): Promise<Json> {
  if (name !== 'cancel') throw new Problem('BAD_REQUEST', `unknown action ${name} on a run; allowed: cancel`)
  await reconciliations.cancel(id)
  return { _id: id, action: 'cancel', status: 'INITIATED' }
}

async function startRun(
  reconciliations: Reconciliations,
  action: ResourceAction,
  context: RequestContext,
): Promise<Json> {
  const request = requestOf(action)
  const wait = booleanIn('waitForCompletion', action.parameters.waitForCompletion ?? false)
  const { run, done } = await reconciliations.start(request, context)
  if (!wait) return { _id: run.id, state: run.state }
  await done
  // An empty source is an answer, not an error (§7.5); any other failure of a run that is waited for is.
  if (run.problem && run.problem.code !== 'EMPTY_SOURCE') {
    throw new Problem('SYNC_FAILED', `Reconciliation failed: ${run.problem.message}`, {
      cause: run.problem,
      detail: { _id: run.id },
    })
  }
  return { _id: run.id, state: run.state }
}

function requestOf({ name, parameters, content }: ResourceAction): ReconciliationRequest {
  const body = bodyOf(content)
  const stated = statedMapping(parameters.mapping ?? body.mapping)
  if (!actions.includes(name)) {
    throw new Problem('BAD_REQUEST', `unknown action ${name} on recon; allowed: ${actions.join(', ')}`)
  }
  if (stated === undefined)
    throw new Problem(
      'BAD_REQUEST',
      `${name} needs the parameter mapping, e.g. recon?_action=${name}&mapping=hr_user`,
    )
  return {
    ...(typeof stated === 'string' ? { mapping: stated } : { mapping: String(stated.name), inline: stated }),
    sourceId: name === 'reconById' ? sourceIdIn(parameters) : undefined,
    analyze: booleanIn('analyze', parameters.analyze ?? false),
    persistAssociations: booleanIn('persistAssociations', parameters.persistAssociations ?? false),
    overrides: overridesIn(parameters, body),
  }
}

/** `id`, or `ids` as OpenIDM calls it; never split, for ids may contain commas. */
function sourceIdIn(parameters: Readonly<Record<string, string>>): string {
  const id = parameters.id ?? parameters.ids
  if (id) return id
  throw new Problem('BAD_REQUEST', 'reconById needs the parameter id: the id of one source object')
}

function bodyOf(content: Json): JsonObject {
  if (content === null) return {}
  if (isJsonObject(content)) return content
  throw new Problem('BAD_REQUEST', 'The body must be a JSON object: the overrides for this run')
}

function overridesIn(
  parameters: Readonly<Record<string, string>>,
  { mapping: _, ...overrides }: JsonObject,
): JsonObject {
  const { allowEmptySourceSet, runTargetPhase, guard, cleanUpLinks } = parameters
  const stated = { allowEmptySourceSet, runTargetPhase, guard, cleanUpLinks }
  const fromParameters = Object.entries(stated).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(fromParameters), ...overrides }
}
