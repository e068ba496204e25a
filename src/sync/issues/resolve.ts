import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Issue } from '../../repository/issues.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'
import { asResource } from '../../router/store-query.ts'
import type { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { SyncServices } from '../services.ts'
import { performAction } from '../single/perform.ts'
import { type Configured, isGone } from './present.ts'
import { recordAction } from './record-action.ts'

export interface IssueServices extends SyncServices {
  readonly reconciliations: Reconciliations
  readonly configured: () => Configured
}

export type Decision =
  /** The target of a source object, or the source of a target. */
  | { readonly decision: 'link'; readonly to: string; readonly reason?: string | undefined }
  /** A target of its own. */
  | { readonly decision: 'create'; readonly reason?: string | undefined }
  /** Not listed as open before the case is another one. */
  | { readonly decision: 'ignore'; readonly reason: string }

/** Carries out a decision about a case, and remembers who made it and why. */
export async function resolve(
  services: IssueServices,
  issue: Issue,
  decision: Decision,
  context: RequestContext,
): Promise<Resource> {
  const { mapping, sourceId, targetId, linkQualifier } = ends(issue)
  const { reason } = decision
  const common = { mapping, linkQualifier, reason }
  if (decision.decision === 'link') {
    const { to } = decision
    const pair = issue.content.phase === 'target' ? { sourceId: to, targetId } : { sourceId, targetId: to }
    await performAction(services, { ...common, ...pair, action: 'LINK' }, context)
    return decided(services, issue, { ...decision, ...pair }, context)
  }
  if (decision.decision === 'create') {
    if (sourceId === undefined)
      throw new Problem('BAD_REQUEST', 'there is no source object to create a target from')
    await performAction(services, { ...common, sourceId, action: 'CREATE' }, context)
  }
  return decided(services, issue, { ...decision }, context)
}

/** Takes back what was decided: the case is open again. */
export async function undo(
  services: IssueServices,
  issue: Issue,
  context: RequestContext,
): Promise<Resource> {
  const made = issue.content.decision as JsonObject | undefined
  if (made === undefined) throw new Problem('BAD_REQUEST', `nothing has been decided about ${issue.id}`)
  const { mapping, linkQualifier } = ends(issue)
  const sourceId = text(made.sourceId) ?? text(issue.content.sourceId)
  const actions: Readonly<Record<string, string>> = { link: 'UNLINK', create: 'DELETE' }
  const action = actions[String(made.decision)]
  if (action)
    await performAction(services, { mapping, linkQualifier, sourceId, action, reason: 'undone' }, context)
  const { decision: _, ...content } = issue.content
  return stored(
    services,
    { ...issue, content: { ...content, state: 'OPEN' } },
    `undo: ${made.decision}`,
    context,
  )
}

/** Drops all cases of a mapping that is configured no more; one that is would bring them back. */
export async function clear(
  { repository, configured }: IssueServices,
  mapping: string,
  reason: string | undefined,
  context: RequestContext,
): Promise<JsonObject> {
  if (!isGone(configured(), mapping))
    throw new Problem(
      'BAD_REQUEST',
      `clear needs the parameter mapping: one that is not in the configuration any more, which ${mapping || 'none'} is not`,
    )
  const why = reason === undefined ? '' : `: ${reason}`
  const cleared = await repository.transaction(async (store) => {
    const count = await store.issues.forget(mapping)
    const message = `clear: ${count} of ${mapping}${why}`
    await recordAction(store, { objectId: 'sync/issues', message }, context)
    return count
  })
  return { mapping, cleared }
}

/** Once more by the mapping's own policies: a source object, or a target without one. */
export async function retry(
  services: IssueServices,
  issue: Issue,
  context: RequestContext,
): Promise<JsonObject> {
  const { mapping, sourceId, targetId } = ends(issue)
  const { runId } = issue.content
  const id = issue.content.phase === 'target' ? targetId : sourceId
  if (id === undefined)
    throw new Problem('BAD_REQUEST', `${issue.id} is about no object that could be tried again`)
  const isOfRun = typeof runId === 'string' && issue.content.kind === 'FAILURE'
  if (issue.content.phase === 'target' && !isOfRun)
    throw new Problem(
      'BAD_REQUEST',
      `${id} is a target without a source: a run of the whole mapping looks at it again`,
    )
  const asked = isOfRun ? { retry: { runId, ids: [id] } } : { sourceId: id }
  const { run, done } = await services.reconciliations.start({ mapping, ...asked }, context)
  await done
  return run.toJSON()
}

async function decided(
  services: IssueServices,
  issue: Issue,
  decision: JsonObject,
  context: RequestContext,
): Promise<Resource> {
  const state = decision.decision === 'ignore' ? 'IGNORED' : 'RESOLVED'
  const made = { ...decision, by: context.userId, at: new Date().toISOString() }
  const why = decision.reason === undefined ? '' : `: ${decision.reason}`
  const content = { ...issue.content, state, decision: made }
  return stored(services, { ...issue, content }, `${decision.decision}${why}`, context)
}

async function stored(
  { repository }: IssueServices,
  issue: Issue,
  what: string,
  context: RequestContext,
): Promise<Resource> {
  const { kind, mapping, sourceId, targetId } = issue.content
  const message = `${what} (${mapping}, ${kind} of ${sourceId ?? targetId ?? mapping})`
  await repository.transaction(async (store) => {
    await store.issues.save(issue)
    await recordAction(store, { objectId: `sync/issues/${issue.id}`, message }, context)
  })
  return asResource(issue.content)
}

function ends({ mapping, content }: Issue) {
  const { sourceId, targetId, linkQualifier } = content
  return { mapping, sourceId: text(sourceId), targetId: text(targetId), linkQualifier: text(linkQualifier) }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
