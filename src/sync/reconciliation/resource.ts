import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import type { Reconciliations } from './reconciliations.ts'
import { booleanIn, type ReconciliationRequest } from './request.ts'

/** `recon[/{id}]` (engine specification §7.1). */
export function reconciliationProvider(reconciliations: Reconciliations): ResourceProvider {
  return {
    async read(path) {
      if (path !== '') return (await reconciliations.read(path)) as Resource
      return { _id: '', reconciliations: [...(await reconciliations.list())] }
    },
    delete: async (path) => (await reconciliations.delete(path)) as Resource,
    async action(path, action, context) {
      if (path !== '') return actOnRun(reconciliations, path, action)
      return startRun(reconciliations, action, context)
    },
  }
}

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
  const { run, done } = await reconciliations.start(requestOf(action), context)
  const wait = action.parameters.waitForCompletion
  if (wait === undefined || !booleanIn('waitForCompletion', wait)) return { _id: run.id, state: run.state }
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
  const { mapping } = parameters
  if (name !== 'recon' && name !== 'reconById') {
    throw new Problem('BAD_REQUEST', `unknown action ${name} on recon; allowed: recon, reconById`)
  }
  if (!mapping)
    throw new Problem(
      'BAD_REQUEST',
      `${name} needs the parameter mapping, e.g. recon?_action=${name}&mapping=hr_user`,
    )
  return {
    mapping,
    sourceId: name === 'reconById' ? sourceIdIn(parameters) : undefined,
    analyze: booleanIn('analyze', parameters.analyze ?? false),
    persistAssociations: booleanIn('persistAssociations', parameters.persistAssociations ?? false),
    overrides: overridesIn(parameters, content),
  }
}

/** `id`, or `ids` as OpenIDM calls it; never split, for ids may contain commas. */
function sourceIdIn(parameters: Readonly<Record<string, string>>): string {
  const id = parameters.id ?? parameters.ids
  if (id) return id
  throw new Problem('BAD_REQUEST', 'reconById needs the parameter id: the id of one source object')
}

function overridesIn(parameters: Readonly<Record<string, string>>, content: Json): JsonObject {
  const { allowEmptySourceSet, runTargetPhase } = parameters
  const fromParameters = Object.entries({ allowEmptySourceSet, runTargetPhase }).filter(
    ([, value]) => value !== undefined,
  )
  return { ...Object.fromEntries(fromParameters), ...(isJsonObject(content) ? content : {}) }
}
