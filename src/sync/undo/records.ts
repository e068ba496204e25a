import { type From, pages } from '../../kit/cookies.ts'
import { isSituation, type Situation } from '../../mapping/situation.ts'
import type { Change } from '../../model/diff.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { isJsonObject, type JsonObject } from '../../model/json.ts'
import { parsePointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'

/** What a run did to one object, as it is on record. */
export interface RunRecord {
  /** Of the audit event. */
  readonly id: string
  readonly linkQualifier: string
  readonly situation: Situation | undefined
  readonly action: string
  readonly sourceId: string | undefined
  readonly targetId: string | undefined
  readonly changes: readonly Change[]
  /** It undid an operation itself. */
  readonly isUndo: boolean
}

/** Sets of the mapping, to take ids out of qualified ones. */
interface Sets {
  readonly source: string
  readonly target: string
}

const size = 500

/** What a run has done, the last of it first. */
export async function* recordsOf(
  { audit }: Pick<Repository, 'audit'>,
  runId: string,
  sets: Sets,
): AsyncGenerator<readonly RunRecord[]> {
  const filter = all([
    is('reconId', runId),
    is('entryType', 'entry'),
    is('status', 'SUCCESS'),
    {
      kind: 'or',
      filters: ['CREATE', 'UPDATE', 'DELETE', 'LINK', 'UNLINK'].map((name) => is('action', name)),
    },
  ])
  const sortKeys = [{ pointer: ['timestamp'], descending: true }]
  const fetch = (from: From) => audit.query('recon', { filter, sortKeys, pageSize: size, ...from })
  for await (const { result } of pages(fetch)) yield result.map((content) => recordIn(content, sets))
}

/** Those of these ids, at their places. */
export async function recordsById(
  { audit }: Pick<Repository, 'audit'>,
  ids: readonly string[],
  sets: Sets,
): Promise<readonly (RunRecord | undefined)[]> {
  const filter: Filter = { kind: 'compare', operator: 'in', pointer: ['_id'], value: [...new Set(ids)] }
  const { result } = await audit.query('recon', { filter })
  const found = new Map(result.map((content) => [String(content._id), recordIn(content, sets)]))
  return ids.map((id) => found.get(id))
}

/** The mapping of a run that is on record; NOT_FOUND if nothing is. */
export async function mappingOf({ audit }: Pick<Repository, 'audit'>, runId: string): Promise<string> {
  const { result } = await audit.query('recon', { filter: is('reconId', runId), pageSize: 1 })
  const mapping = result[0]?.mapping
  if (typeof mapping === 'string') return mapping
  throw new Problem('NOT_FOUND', `Nothing is on record of a run ${runId}`, {
    hint: 'Give the id of a run as `syncline history` and GET recon show it. Dry runs change nothing, and the audit may have been purged.',
  })
}

function recordIn(content: JsonObject, { source, target }: Sets): RunRecord {
  const { situation, changes } = content
  return {
    id: String(content._id),
    linkQualifier: String(content.linkQualifier ?? 'default'),
    situation: isSituation(situation) ? situation : undefined,
    action: String(content.action),
    sourceId: localId(content.sourceObjectId, source),
    targetId: localId(content.targetObjectId, target),
    isUndo: content.undoes !== undefined,
    changes: Object.entries(isJsonObject(changes) ? changes : {}).map(([pointer, values]): Change => {
      const { before, after } = isJsonObject(values) ? values : {}
      return { pointer: parsePointer(pointer), before, after }
    }),
  }
}

function localId(qualified: unknown, set: string): string | undefined {
  return typeof qualified === 'string' && qualified.startsWith(`${set}/`)
    ? qualified.slice(set.length + 1)
    : undefined
}

function is(name: string, value: string): Filter {
  return { kind: 'compare', operator: 'eq', pointer: [name], value }
}

function all(filters: readonly Filter[]): Filter {
  return { kind: 'and', filters }
}
