import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { queryCollection } from '../../router/collection.ts'
import type { RequestContext, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import { asResource, storePage, storeQuery } from '../../router/store-query.ts'
import { recordAction } from '../issues/record-action.ts'
import { type ReconPlansOptions, reconPlans } from '../plans/recon-plans.ts'
import { mappingIn, overridesIn, retryIn, sourceIdIn, startRun } from '../reconciliation/action-parameters.ts'
import { booleanIn, type ReconciliationRequest } from '../reconciliation/request.ts'
import { mappingOfRun } from '../reconciliation/retry.ts'

/** `recon[/{id}[/plan[/summary]]]` (engine §7.1). */
export function reconciliationProvider(options: ReconPlansOptions): ResourceProvider {
  const { reconciliations, repository } = options
  const plans = reconPlans(options)
  async function retry(runId: string, action: ResourceAction, context: RequestContext): Promise<Json> {
    const { parameters, content } = action
    const mapping = await mappingOfRun(repository.audit, runId)
    const overrides = overridesIn(parameters, content)
    const request = { mapping, retry: retryIn(runId, action), overrides }
    return startRun(reconciliations, request, parameters, context)
  }
  return {
    async read(path, { parameters = {} }) {
      const planned = runOfPlan(path)
      if (planned !== undefined) return plans.read(planned)
      const summed = runOfPlan(path, 'summary')
      if (summed !== undefined) return plans.summary(summed, parameters)
      if (path !== '') return reconciliations.read(path)
      return { _id: '', reconciliations: await reconciliations.list() }
    },
    async query(path, query) {
      const planned = runOfPlan(path)
      if (path === '') return queryCollection(await reconciliations.list(), query)
      if (planned === undefined)
        throw new Problem('NOT_IMPLEMENTED', `recon/${path} is a run, not a set: read it`)
      return storePage(await plans.query(planned, storeQuery(query)), asResource)
    },
    async create(_path, id) {
      if (id !== undefined)
        throw new Problem('NOT_IMPLEMENTED', 'recon does not offer create: runs are started with _action')
      // A POST without _action: it was forgotten.
      throw new Problem('BAD_REQUEST', `recon needs the parameter _action, one of ${actions.join(', ')}`)
    },
    async delete(path, _rev, context) {
      if (path === '') throw new Problem('NOT_IMPLEMENTED', 'recon does not offer delete: name one run')
      return reconciliations.delete(path, context)
    },
    async action(path, action, context) {
      const { name } = action
      if (path === '' && name === 'plan') return plans.make(action, context)
      if (path === '' && name === 'planAll') return plans.makeAll(action, context)
      if (path === '') return startRun(reconciliations, requestOf(action), action.parameters, context)
      if (name === 'apply') return plans.apply(path, action, context)
      if (name === 'undo') return plans.undo(path, action, context)
      if (name === 'retry') return retry(path, action, context)
      if (name !== 'cancel')
        throw new Problem(
          'BAD_REQUEST',
          `unknown action ${name} on a run; allowed: cancel, apply, retry, undo`,
        )
      await reconciliations.cancel(path)
      await recordAction(repository, { objectId: `recon/${path}`, message: 'cancel' }, context)
      return { _id: path, action: 'cancel', status: 'INITIATED' }
    },
  }
}

const actions = ['recon', 'reconById', 'plan', 'planAll']

/** `{id}/plan`, or what is named below it. */
function runOfPlan(path: string, below?: string): string | undefined {
  const [id, plan, part, ...deeper] = path.split('/')
  return plan === 'plan' && part === below && deeper.length === 0 ? id : undefined
}

/** A restriction at a place where it is not read: the run would be about all objects. */
function refuseUnread({ name, parameters }: ResourceAction): void {
  const one = ['id', 'ids'].find((key) => name === 'recon' && parameters[key] !== undefined)
  if (one !== undefined)
    throw new Problem('BAD_REQUEST', `recon is about all objects; ${one} belongs to reconById`)
  const query = ['sourceQuery', 'targetQuery'].find((key) => parameters[key] !== undefined)
  if (query !== undefined)
    throw new Problem('BAD_REQUEST', `${query} is an override of the run: it belongs in the body`)
}

function requestOf(action: ResourceAction): ReconciliationRequest {
  const { name, parameters, content } = action
  if (!actions.includes(name)) {
    throw new Problem('BAD_REQUEST', `unknown action ${name} on recon; allowed: ${actions.join(', ')}`)
  }
  refuseUnread(action)
  const mapping = mappingIn(action)
  return {
    ...(typeof mapping === 'string' ? { mapping } : { mapping: String(mapping.name), inline: mapping }),
    sourceId: name === 'reconById' ? sourceIdIn(parameters) : undefined,
    analyze: booleanIn('analyze', parameters.analyze ?? false),
    persistAssociations: booleanIn('persistAssociations', parameters.persistAssociations ?? false),
    overrides: overridesIn(parameters, content),
  }
}
