import { asObject, isJsonObject, type Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import type { ChangeEvent } from '../changes/change.ts'
import type { Notify } from '../changes/implicit/implicit-sync.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { SyncServices } from '../services.ts'
import { explain } from '../single/explain.ts'
import { performAction } from '../single/perform.ts'
import { linkedResources } from './linked-resources.ts'

interface SyncOptions extends SyncServices {
  readonly reconciliations: Reconciliations
  readonly notify: Notify
}

type Act = (options: SyncOptions, action: ResourceAction, context: RequestContext) => Promise<Json>

/** `sync` (engine §8.6): actions on single objects. */
export function syncProvider(options: SyncOptions): ResourceProvider {
  return {
    async action(path, action, context) {
      if (path !== '') throw new Problem('NOT_FOUND', `There is no resource sync/${path}`)
      const act = Object.hasOwn(actions, action.name) ? actions[action.name] : undefined
      if (act) return act(options, action, context)
      const allowed = Object.keys(actions).join(', ')
      throw new Problem('BAD_REQUEST', `unknown action ${action.name} on sync; allowed: ${allowed}`)
    },
  }
}

const actions: Readonly<Record<string, Act>> = {
  performAction: (options, { parameters, content }, context) =>
    performAction(options, { ...textsIn(content), ...parameters }, context),

  getLinkedResources: (services, { parameters: { resourceName = '' } }, context) =>
    linkedResources(services, resourceName, context),

  async explain(options, { parameters, content }, context) {
    const { mapping, sourceId, targetId, linkQualifier } = parameters
    if (!mapping) throw new Problem('BAD_REQUEST', 'explain needs the parameters mapping and sourceId')
    const { source, merge } = asObject(content)
    return explain(
      options,
      {
        ...{ mapping, sourceId, targetId, linkQualifier, merges: merge === true },
        source: isJsonObject(source) ? source : undefined,
      },
      context,
    )
  },

  notifyCreate: notified('notifyCreate'),
  notifyUpdate: notified('notifyUpdate'),
  notifyDelete: notified('notifyDelete'),

  /** Deprecated there; waits for the end. */
  async recon({ reconciliations }, { parameters }, context) {
    const { mapping } = parameters
    if (!mapping) throw new Problem('BAD_REQUEST', 'recon needs the parameter mapping')
    const { run, done } = await reconciliations.start({ mapping }, context)
    await done
    const comment1 = 'Deprecated API on sync service.'
    const comment2 = 'Call recon action on recon service instead.'
    return { _id: run.id, reconId: run.id, comment1, comment2 }
  },
}

/** Synchronizes a change that the caller has made himself; 409 with the results if a mapping fails. */
function notified(name: ChangeEvent['action']): Act {
  return async ({ notify }, { parameters, content }, context) => {
    const { resourceContainer: container, resourceId: id } = parameters
    if (container === undefined || id === undefined)
      throw new Problem('BAD_REQUEST', `${name} needs the parameters resourceContainer and resourceId`)
    if (id === '') return []
    const { oldValue, newValue } = asObject(content)
    const value = (given: Json | undefined) => (isJsonObject(given) ? given : null)
    const event = { action: name, container, id, oldValue: value(oldValue), newValue: value(newValue) }
    const { success, results } = await notify(event, context)
    if (!success) throw new Problem('SYNC_FAILED', 'Synchronization failed', { detail: results })
    return [...results]
  }
}

/** Scripts may give parameters in the content. */
function textsIn(content: Json): Record<string, string> {
  const texts = Object.entries(asObject(content)).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'boolean' ? [[name, String(value)]] : [],
  )
  return Object.fromEntries(texts)
}
