import { type From, pages } from '../../kit/cookies.ts'
import type { Filter } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { AuditEvents } from '../../repository/audit.ts'

/** What failed in an earlier run, once more; as the audit has it. */
export interface Retry {
  readonly runId: string
  /** Only failures of this cause. */
  readonly cause?: string | undefined
  /** Only these source or target ids. */
  readonly ids?: readonly string[] | undefined
}

/** The mapping of a recorded run; NOT_FOUND if there is no record of it. */
export async function mappingOfRun(audit: AuditEvents, runId: string): Promise<string> {
  const start = await audit.read('recon', `${runId}-start`)
  if (typeof start?.mapping === 'string') return start.mapping
  throw new Problem('NOT_FOUND', `There is no record of a run ${runId}: nothing can be tried again`, {
    hint: '`syncline runs` lists the runs; the audit keeps their entries as long as its retention says.',
  })
}

/** BAD_REQUEST if the run was one of another mapping. */
export async function requireRunOf(audit: AuditEvents, { runId }: Retry, mapping: string): Promise<void> {
  const own = await mappingOfRun(audit, runId)
  if (own !== mapping) throw new Problem('BAD_REQUEST', `run ${runId} was one of ${own}, not of ${mapping}`)
}

const pageSize = 500

/** The ids of the sources that failed, or of the targets that failed in the target phase; `set`: where they are. */
export async function* failedIds(
  audit: AuditEvents,
  retry: Retry,
  phase: 'source' | 'target',
  set: string,
): AsyncGenerator<readonly string[]> {
  const filter: Filter = { kind: 'and', filters: failuresOf(retry, phase).map(is) }
  const wanted = retry.ids && new Set(retry.ids)
  const seen = new Set<string>()
  for await (const { result } of pages((from: From) => audit.query('recon', { filter, pageSize, ...from }))) {
    const ids = result.flatMap((entry) => idIn(entry, phase, set)).filter((id) => wanted?.has(id) ?? true)
    const fresh = [...new Set(ids)].filter((id) => !seen.has(id))
    for (const id of fresh) seen.add(id)
    if (fresh.length > 0) yield fresh
  }
}

function failuresOf({ runId, cause }: Retry, phase: string): readonly (readonly [string, string])[] {
  const all = [
    ['reconId', runId],
    ['entryType', 'entry'],
    ['status', 'FAILURE'],
    ['reconciling', phase],
  ] as const
  return cause === undefined ? all : [...all, ['cause', cause]]
}

function is([name, value]: readonly [string, string]): Filter {
  return { kind: 'compare', operator: 'eq', pointer: [name], value }
}

/** Records have paths. */
function idIn(entry: JsonObject, phase: 'source' | 'target', set: string): readonly string[] {
  const path = entry[`${phase}ObjectId`]
  return typeof path === 'string' && path.startsWith(`${set}/`) ? [path.slice(set.length + 1)] : []
}
