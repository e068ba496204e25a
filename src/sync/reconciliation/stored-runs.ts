import { auditEvent } from '../../audit/events.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { LeaseHolder, Locks } from '../../repository/locks.ts'
import type { Repository, RunRecord } from '../../repository/repository.ts'
import type { RequestContext } from '../../router/resources.ts'
import { storedRunObject, workerOf } from './stored-run.ts'

/**
 * The runs that the store remembers: of earlier processes, of others on the same data folder, and of this one. What is
 * purged of them stays in the audit, as the summary of the run.
 */
export interface StoredRuns {
  /** Oldest first. */
  list(): Promise<readonly JsonObject[]>
  /** The run object; of a run that was purged, that of its summary (engine §7.1); else NOT_FOUND. */
  read(id: string): Promise<JsonObject>
  /** Who holds the lease of another process; undefined if it has ended, or is this one. */
  elsewhere(worker: string | undefined): Promise<LeaseHolder | undefined>
  /** CONFLICT if another process is working on the run: only that one can stop it. */
  refuseElsewhere(id: string): Promise<void>
  /** Forgets a run for good. The audit keeps its entries, and who deleted it. */
  delete(id: string, context: RequestContext): Promise<JsonObject>
  /**
   * Keeps the associations of the newest runs alike, as many as `associations` says (engine §7.9). Run objects are small and
   * stay longer.
   */
  purge(alike: { readonly mapping: string; readonly analysis: boolean }, associations: number): Promise<void>
}

/** How many runs of a mapping and kind `GET recon` can tell of; OpenIDM remembers about as many. */
const keptRuns = 100

export function storedRuns(repository: Repository, locks: Locks): StoredRuns {
  const { runs, audit } = repository
  async function summarized(id: string): Promise<JsonObject | undefined> {
    if (await audit.read('activity', deletionOf(id))) return undefined
    const summary = await audit.read('recon', `${id}-summary`)
    return summary?.messageDetail as JsonObject | undefined
  }
  /** What this process works on, it knows itself. */
  async function elsewhere(worker: string | undefined): Promise<LeaseHolder | undefined> {
    if (worker === undefined || worker === (await locks.ownLease()).name) return undefined
    return locks.holder(worker)
  }
  async function runObject(record: RunRecord): Promise<JsonObject> {
    return storedRunObject(record, (await elsewhere(workerOf(record))) !== undefined)
  }
  async function read(id: string): Promise<JsonObject> {
    const stored = await runs.read(id)
    const run = stored ? await runObject(stored) : await summarized(id)
    if (!run) throw new Problem('NOT_FOUND', `Reconciliation with id ${id} not found.`)
    return run
  }
  return {
    list: async () => Promise.all((await runs.list()).map(runObject)),
    read,
    elsewhere,
    async refuseElsewhere(id) {
      const stored = await runs.read(id)
      const other = stored && (await elsewhere(workerOf(stored)))
      if (other)
        throw new Problem('CONFLICT', `run ${id} is active in ${other.process}: it can only be stopped there`)
    },
    async delete(id, context) {
      const run = await read(id)
      await repository.transaction(async (store) => {
        await store.runs.delete(id)
        await store.audit.append([deletionEvent(id, context)])
      })
      return run
    },
    async purge({ mapping, analysis }, associations) {
      const alike = (await runs.list()).filter((run) => run.mapping === mapping && run.analysis === analysis)
      const newestFirst = alike.toReversed().map(({ id }) => id)
      const associated = await runs.withEntries()
      const surplus = newestFirst.filter((id) => associated.has(id)).slice(associations)
      for (const id of surplus) await runs.deleteEntries(id)
      for (const id of newestFirst.slice(keptRuns)) await runs.delete(id)
    },
  }
}

/** Tells a run that somebody deleted from one that was purged. */
function deletionOf(id: string): string {
  return `${id}-deleted`
}

function deletionEvent(id: string, { userId, transactionId }: RequestContext) {
  const facts = { userId, transactionId, objectId: `recon/${id}`, operation: 'DELETE' }
  return auditEvent.activity({ ...facts, id: deletionOf(id) })
}
