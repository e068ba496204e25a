import { type From, pages } from '../../kit/cookies.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { asObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Issue } from '../../repository/issues.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import { storePage, storeQuery } from '../../router/store-query.ts'
import { othersNamed } from '../issues/others.ts'
import { type Configured, isGone, ofMapping, presentOnly, shownIssue } from '../issues/present.ts'
import { clear, type Decision, type IssueServices, resolve, retry, undo } from '../issues/resolve.ts'

/**
 * `sync/issues`: the cases that runs and changes leave to people, each in its newest state: ambiguous, already linked, unassigned,
 * failed, dead letters, what the guard stopped. `summary` on the set counts those that are alike, `clear` drops those of a mapping that
 * is no more; `resolve`, `undo` and `retry` on one case, `discard` on a dead letter.
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
    const { letter } = issue.content
    if (typeof letter === 'string') {
      const answer = await onLetter(services, letter, action, context)
      if (answer !== undefined) return answer
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
    async read(id) {
      const issue = await found(id)
      return { ...shownIssue(issue.content, services.configured()), ...(await othersNamed(services, issue)) }
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `sync/issues/${path} is an issue, not a set`)
      const configured = services.configured()
      const filter = presentOnly(query.filter, configured)
      const page = await issues.query(storeQuery({ ...query, filter }))
      return storePage(page, (content) => shownIssue(content, configured))
    },
    action: async (id, action, context) =>
      id === '' ? onAll(services, action, context) : onOne(id, action, context),
  }
}

async function onAll(
  services: IssueServices,
  action: ResourceAction,
  context: RequestContext,
): Promise<Json> {
  const { mapping, reason } = { ...asObject(action.content), ...action.parameters }
  const named = typeof mapping === 'string' ? mapping : undefined
  switch (action.name) {
    case 'summary':
      return summary(services, named)
    case 'clear':
      return clear(services, named ?? '', typeof reason === 'string' ? reason : undefined, context)
    default:
      throw new Problem(
        'BAD_REQUEST',
        `unknown action ${action.name} on sync/issues; allowed: summary, clear`,
      )
  }
}

/** Undefined: the case is worked as any other one. */
async function onLetter(
  services: IssueServices,
  letter: string,
  { name }: ResourceAction,
  context: RequestContext,
): Promise<Json | undefined> {
  const isQueued = letter.startsWith('sync/queue/')
  const action = { name, parameters: {}, content: null }
  if (name === 'discard')
    return isQueued
      ? services.resources().action(letter, action, context)
      : services.resources().delete(letter, undefined, context)
  if (!isQueued) return undefined
  if (name === 'retry') return services.resources().action(letter, action, context)
  throw new Problem('BAD_REQUEST', `${name} is not possible on a dead letter; allowed: retry, discard`)
}

const isOpen: Filter = { kind: 'compare', operator: 'eq', pointer: ['state'], value: 'OPEN' }

interface Group {
  readonly count: number
  readonly example: Resource
}

/**
 * Cases that are alike, with how many there are and one of them; the most frequent first. Those of mappings that are no more are only
 * counted, unless one of these is asked for.
 */
async function summary(
  { repository, configured }: IssueServices,
  mapping: string | undefined,
): Promise<JsonObject> {
  const known = configured()
  const groups = new Map<string, Group>()
  const gone = new Map<string, number>()
  const filter: Filter = { kind: 'and', filters: [isOpen, ofMapping(mapping)] }
  const query = { filter, pageSize: 500 }
  for await (const { result } of pages((from: From) => repository.issues.query({ ...query, ...from })))
    for (const issue of result)
      if (mapping === undefined && isGone(known, issue.mapping))
        gone.set(String(issue.mapping), (gone.get(String(issue.mapping)) ?? 0) + 1)
      else count(groups, issue, known)
  return {
    groups: [...groups.values()].toSorted((one, other) => other.count - one.count).map(shownGroup),
    gone: [...gone].map(([name, cases]) => ({ mapping: name, count: cases })),
  }
}

function count(groups: Map<string, Group>, issue: JsonObject, configured: Configured): void {
  const key = JSON.stringify([issue.mapping, issue.kind, issue.cause ?? issue.situation ?? issue._id])
  const group = groups.get(key) ?? { count: 0, example: shownIssue(issue, configured) }
  groups.set(key, { ...group, count: group.count + 1 })
}

function shownGroup({ count, example }: Group): JsonObject {
  const { mapping = null, kind = null, message = null, hint = null, code = null, cause = null } = example
  return { mapping, kind, count, code, cause, message, hint, example }
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
