import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import { storePage, storeQuery } from '../../router/store-query.ts'
import { applyStoredPlan, makeStoredPlan } from '../plans/plan-actions.ts'
import { queryPlan, storedPlan } from '../plans/stored-plan.ts'
import { failed, mappingIn, overridesIn, sourceIdIn, waits } from '../reconciliation/action-parameters.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import { booleanIn, type ReconciliationRequest } from '../reconciliation/request.ts'

/** `recon[/{id}[/plan]]` (engine §7.1). */
export function reconciliationProvider(
  reconciliations: Reconciliations,
  repository: Repository,
): ResourceProvider {
  return {
    async read(path) {
      const planned = runOfPlan(path)
      if (planned !== undefined) {
        const { header } = await storedPlan(repository, planned)
        return { _id: planned, ...header } as unknown as Resource
      }
      if (path !== '') return (await reconciliations.read(path)) as Resource
      return { _id: '', reconciliations: [...(await reconciliations.list())] }
    },
    async query(path, query) {
      const planned = runOfPlan(path)
      if (planned === undefined) throw new Problem('NOT_IMPLEMENTED', 'recon does not offer query: read it')
      await storedPlan(repository, planned)
      return storePage(await queryPlan(repository, planned, storeQuery(query)), (line) => line as Resource)
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
      if (path !== '') return actOnRun(reconciliations, repository, path, action, context)
      if (action.name === 'plan') return makeStoredPlan(reconciliations, repository, action, context)
      return startRun(reconciliations, action, context)
    },
  }
}

const actions = ['recon', 'reconById', 'plan']

/** `{id}/plan` */
function runOfPlan(path: string): string | undefined {
  const [id, plan, ...deeper] = path.split('/')
  return plan === 'plan' && deeper.length === 0 ? id : undefined
}

async function actOnRun(
  reconciliations: Reconciliations,
  repository: Repository,
  id: string,
  action: ResourceAction,
  context: RequestContext,
): Promise<Json> {
  if (action.name === 'apply') return applyStoredPlan(reconciliations, repository, id, action, context)
  if (action.name !== 'cancel')
    throw new Problem('BAD_REQUEST', `unknown action ${action.name} on a run; allowed: cancel, apply`)
  await reconciliations.cancel(id)
  return { _id: id, action: 'cancel', status: 'INITIATED' }
}

async function startRun(
  reconciliations: Reconciliations,
  action: ResourceAction,
  context: RequestContext,
): Promise<Json> {
  const request = requestOf(action)
  const wait = waits(action.parameters)
  const { run, done } = await reconciliations.start(request, context)
  if (!wait) return { _id: run.id, state: run.state }
  await done
  // An empty source is an answer, not an error (engine §7.5); any other failure of a run that is waited for is.
  if (run.problem && run.problem.code !== 'EMPTY_SOURCE') throw failed(run)
  return { _id: run.id, state: run.state }
}

function requestOf(action: ResourceAction): ReconciliationRequest {
  const { name, parameters, content } = action
  if (!actions.includes(name)) {
    throw new Problem('BAD_REQUEST', `unknown action ${name} on recon; allowed: ${actions.join(', ')}`)
  }
  const stated = mappingIn(action)
  return {
    ...(typeof stated === 'string' ? { mapping: stated } : { mapping: String(stated.name), inline: stated }),
    sourceId: name === 'reconById' ? sourceIdIn(parameters) : undefined,
    analyze: booleanIn('analyze', parameters.analyze ?? false),
    persistAssociations: booleanIn('persistAssociations', parameters.persistAssociations ?? false),
    overrides: overridesIn(parameters, content),
  }
}
