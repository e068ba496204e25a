import { type From, pages } from '../../kit/cookies.ts'
import { asObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Issue } from '../../repository/issues.ts'
import type { StoreQuery } from '../../repository/query.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import { asResource, storePage, storeQuery } from '../../router/store-query.ts'
import { type Decision, type IssueServices, resolve, retry, undo } from '../issues/resolve.ts'

/**
 * `sync/issues`: the cases that runs and changes leave to people, each in its newest state: ambiguous, already linked, unassigned,
 * failed, dead letters, what the guard stopped. `summary` on the set counts those that are alike; `resolve`, `undo` and `retry` on
 * one case.
 */
export function issuesProvider(services: IssueServices): ResourceProvider {
  const { issues } = services.repository
  async function found(id: string): Promise<Issue> {
    const issue = await issues.read(id)
    if (!issue) throw new Problem('NOT_FOUND', `There is no issue ${id}; perhaps it is over`)
    return issue
  }
  async function onOne(id: string, action: ResourceAction, context: RequestContext): Promise<Json> {
    const issue = await found(id)
    const letter = issue.content.letter
    if (typeof letter === 'string' && letter.startsWith('sync/queue/')) {
      if (action.name !== 'retry' && action.name !== 'discard')
        throw new Problem(
          'BAD_REQUEST',
          `${action.name} is not possible on a dead letter; allowed: retry, discard`,
        )
      return services
        .resources()
        .action(letter, { name: action.name, parameters: {}, content: null }, context)
    }
    switch (action.name) {
      case 'resolve':
        return resolve(services, issue, decisionIn(action), context)
      case 'undo':
        return undo(services, issue, context)
      case 'retry':
        return retry(services, issue, context)
      default:
        throw new Problem(
          'BAD_REQUEST',
          `unknown action ${action.name} on an issue; allowed: resolve, undo, retry`,
        )
    }
  }
  return {
    read: async (id) => asResource((await found(id)).content),
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `sync/issues/${path} is an issue, not a set`)
      return storePage(await issues.query(storeQuery(query)), asResource)
    },
    async action(id, action, context) {
      if (id !== '') return onOne(id, action, context)
      if (action.name !== 'summary')
        throw new Problem('BAD_REQUEST', `unknown action ${action.name} on sync/issues; allowed: summary`)
      return { groups: [...(await groups(services, isOpen))] }
    },
  }
}

const isOpen: StoreQuery = {
  filter: { kind: 'compare', operator: 'eq', pointer: ['state'], value: 'OPEN' },
  pageSize: 500,
}

/** Cases that are alike, with how many there are and one of them; the most frequent first. */
async function groups({ repository }: IssueServices, query: StoreQuery): Promise<readonly JsonObject[]> {
  const found = new Map<string, { count: number; example: Resource }>()
  for await (const { result } of pages((from: From) => repository.issues.query({ ...query, ...from })))
    for (const issue of result) {
      const key = JSON.stringify([issue.mapping, issue.kind, issue.cause ?? issue.situation ?? issue._id])
      const group = found.get(key) ?? { count: 0, example: asResource(issue) }
      found.set(key, { ...group, count: group.count + 1 })
    }
  return [...found.values()]
    .toSorted((one, other) => other.count - one.count)
    .map(({ count, example }) => {
      const { mapping = null, kind = null, message = null, hint = null, code = null, cause = null } = example
      return { mapping, kind, count, code, cause, message, hint, example }
    })
}

function decisionIn({ parameters, content }: ResourceAction): Decision {
  const { decision, targetId, sourceId, reason } = { ...asObject(content), ...parameters }
  const why = typeof reason === 'string' && reason.trim() !== '' ? reason.trim() : undefined
  const to = targetId ?? sourceId
  if (decision === 'create') return { decision, reason: why }
  if (decision === 'link') {
    if (typeof to === 'string' && to !== '') return { decision, to, reason: why }
    throw new Problem('BAD_REQUEST', 'link needs the targetId, or of a target the sourceId, to link it to')
  }
  if (decision !== 'ignore')
    throw new Problem('BAD_REQUEST', 'resolve needs the parameter decision: link, create or ignore')
  if (why === undefined)
    throw new Problem('BAD_REQUEST', 'ignore needs the parameter reason: it is remembered and audited')
  return { decision, reason: why }
}
