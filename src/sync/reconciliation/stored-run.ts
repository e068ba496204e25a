import type { RunRecord } from '../../repository/runs.ts'
import type { Resource } from '../../router/resources.ts'
import type { Run } from './run.ts'

/**
 * A run as it is stored: its run object, what is kept besides as `keeps`, and, while it is active, the lease of the process that
 * works on it as `worker`.
 */
export function recordOf(run: Run, statistics = run.statistics): RunRecord {
  const { id, mapping, analysis, state, started } = run
  const content = {
    ...run.with(statistics),
    ...(run.keeps && { keeps: run.keeps }),
    ...(state === 'ACTIVE' && { worker: run.worker }),
  }
  return { id, mapping, analysis, state, started: started.toISOString(), content }
}

/** The lease of the process that works on a stored run; undefined when it has ended. */
export function workerOf({ state, content: { worker } }: RunRecord): string | undefined {
  return state === 'ACTIVE' && typeof worker === 'string' ? worker : undefined
}

/** The run object of a stored run. One that says ACTIVE, but that no other process is working on, died with its process. */
export function storedRunObject(record: RunRecord, isWorkedOn: boolean): Resource {
  const { worker, keeps, ...content } = record.content
  const run = { ...content, _id: record.id }
  if (record.state !== 'ACTIVE' || isWorkedOn) return run
  return {
    ...run,
    state: 'FAILED',
    stage: 'COMPLETED_FAILED',
    stageDescription: 'reconciliation failed',
    // When it was last known to be alive.
    ended: new Date(Date.parse(record.started) + Number(content.duration)).toISOString(),
    failure: {
      code: 500,
      message: 'the process that worked on this run ended before the run did; run it again',
    },
  }
}
