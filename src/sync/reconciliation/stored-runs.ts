import { auditEvent } from '../../audit/events.ts'
import type { Log } from '../../kit/log.ts'
import type { Json } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { LeaseHolder, Locks } from '../../repository/locks.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RunRecord } from '../../repository/runs.ts'
import type { RequestContext, Resource } from '../../router/resources.ts'

/** How many runs of a mapping and kind `GET recon` lists; OpenIDM remembers about as many. */
const keptRuns = 100

export type StoredRuns = ReturnType<typeof storedRuns>

/** The runs that the store remembers, of all processes. Of those that are purged the audit keeps the summary. */
export function storedRuns(repository: Repository, locks: Locks) {
  const { runs, audit } = repository
  /** Who holds the lease of another process; undefined if it has ended, or is this one, which knows itself what it works on. */
  async function elsewhere(worker: string | undefined): Promise<LeaseHolder | undefined> {
    if (worker === undefined || worker === (await locks.ownLease()).name) return undefined
    return locks.holder(worker)
  }
  async function runObject(record: RunRecord): Promise<Resource> {
    return storedRunObject(record, (await elsewhere(workerOf(record))) !== undefined)
  }
  /** The run object; of a run that was purged, that of its summary (engine §7.1); else NOT_FOUND. */
  async function read(id: string): Promise<Resource> {
    const stored = await runs.read(id)
    const run = stored ? await runObject(stored) : await summarized(audit, id)
    if (!run) throw new Problem('NOT_FOUND', `Reconciliation with id ${id} not found.`)
    return run
  }
  return {
    /** Oldest first. */
    list: async (): Promise<readonly Resource[]> => Promise.all((await runs.list()).map(runObject)),
    read,
    elsewhere,
    /** CONFLICT if another process is working on the run: only that one can stop it. */
    async refuseElsewhere(id: string): Promise<void> {
      const stored = await runs.read(id)
      const other = stored && (await elsewhere(workerOf(stored)))
      if (other)
        throw new Problem('CONFLICT', `run ${id} is active in ${other.process}: it can only be stopped there`)
    },
    /**
     * Ends, in store and audit, the runs whose process ended before them. Until a process does so that may write, they are only
     * shown as failed.
     */
    async closeDead(isActive: (runId: string, worker: string) => Promise<boolean>, log: Log): Promise<void> {
      for (const record of await runs.list()) {
        const worker = workerOf(record)
        if (record.state !== 'ACTIVE' || (worker !== undefined && (await isActive(record.id, worker))))
          continue
        if (await closed(repository, record))
          log('warn', `${record.mapping}: run ${record.id} broke off: ${broken}`)
      }
    },
    /** Forgets a run for good. The audit keeps its entries, and who deleted it. */
    async delete(id: string, context: RequestContext): Promise<Resource> {
      const run = await read(id)
      await forget(repository, id, context)
      return run
    },
    /** Keeps the associations of the newest `associations` runs alike (engine §7.9). Run objects are small and stay longer. */
    async purge({ mapping, analysis }: Pick<RunRecord, 'mapping' | 'analysis'>, associations: number) {
      const alike = (await runs.list()).filter((run) => run.mapping === mapping && run.analysis === analysis)
      const newestFirst = alike.toReversed().map(({ id }) => id)
      const associated = await runs.withEntries()
      const surplus = newestFirst.filter((id) => associated.has(id)).slice(associations)
      for (const id of surplus) await runs.deleteEntries(id)
      for (const id of newestFirst.slice(keptRuns)) await runs.delete(id)
    },
  }
}

function forget(
  repository: Repository,
  id: string,
  { userId, transactionId }: RequestContext,
): Promise<void> {
  const facts = { id: deletionOf(id), userId, transactionId, objectId: `recon/${id}`, operation: 'DELETE' }
  return repository.transaction(async (store) => {
    await store.runs.delete(id)
    await store.audit.append([auditEvent.activity(facts)])
  })
}

/** False if another process was faster. */
function closed(repository: Repository, record: RunRecord): Promise<boolean> {
  const { id, mapping, content } = record
  const run = storedRunObject(record, false)
  return repository.transaction(async (store) => {
    if ((await store.runs.read(id))?.state !== 'ACTIVE') return false
    const start = await store.audit.read('recon', `${id}-start`)
    const facts = { userId: textIn(start?.userId) ?? null, runId: id, mapping }
    const frame = { entryType: 'summary', reconAction: textIn(start?.reconAction) ?? 'recon' } as const
    const message = `${broken}. `
    if (!(await store.audit.read('recon', `${id}-summary`)))
      await store.audit.append([
        auditEvent.reconFrame({ ...facts, ...frame, status: 'FAILURE', message, run }),
      ])
    const { keeps } = content
    await store.runs.save({ ...record, state: 'FAILED', content: { ...run, ...(keeps && { keeps }) } })
    return true
  })
}

function textIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

const broken = 'the process that worked on this run ended before the run did; run it again'

/** The run object in the summary of a run that was purged. */
async function summarized(audit: Repository['audit'], id: string): Promise<Resource | undefined> {
  if (await audit.read('activity', deletionOf(id))) return undefined
  const summary = await audit.read('recon', `${id}-summary`)
  return summary?.messageDetail as Resource | undefined
}

/** The id of the entry that only a deleted run has, not a purged one. */
function deletionOf(id: string): string {
  return `${id}-deleted`
}

/** The lease of the process that works on a stored run; undefined when it has ended. */
function workerOf({ state, content: { worker } }: RunRecord): string | undefined {
  return state === 'ACTIVE' && typeof worker === 'string' ? worker : undefined
}

/** The run object of a stored run. One that says ACTIVE, but that no other process is working on, died with its process. */
function storedRunObject(record: RunRecord, isWorkedOn: boolean): Resource {
  const { worker, keeps, ...content } = record.content
  const run = { ...content, _id: record.id }
  if (record.state !== 'ACTIVE' || isWorkedOn) return run
  return {
    ...run,
    state: 'FAILED',
    outcome: 'FAILED',
    stage: 'COMPLETED_FAILED',
    stageDescription: 'reconciliation failed',
    // When it was last known to be alive.
    ended: new Date(Date.parse(record.started) + Number(content.duration)).toISOString(),
    failure: {
      code: 500,
      message: broken,
      hint: 'What it had begun is resolved by the next run; the rest is done by it, or by its plan, performed once more.',
    },
  }
}
