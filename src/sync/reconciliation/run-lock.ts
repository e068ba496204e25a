import { isJsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'
import { isAlive, thisProcess } from './worker.ts'

/**
 * Keeps two processes on one data folder (a server and a command line, two cron jobs) from reconciling the same link
 * set at once (engine §7.2, [D]). The lock is a row of the store that names its holder; one whose
 * process is gone is nobody's.
 */
export interface RunLock {
  release(): Promise<void>
}

/** CONFLICT, naming the run, if a living process holds it. */
export async function acquireRunLock(
  repository: Repository,
  linkType: string,
  runId: string,
): Promise<RunLock> {
  const key = `reconciling.${linkType}`
  await repository.transaction(async ({ settings }) => {
    const holder = await settings.read(key)
    if (isAlive(holder)) {
      const { run, pid } = holder
      throw new Problem('CONFLICT', `${linkType} is being worked on already, by run ${run} of process ${pid}`)
    }
    await settings.write(key, { run: runId, ...thisProcess() })
  })
  return {
    async release() {
      await repository.transaction(async ({ settings }) => {
        const holder = await settings.read(key)
        if (isJsonObject(holder) && holder.run === runId) await settings.write(key, null)
      })
    },
  }
}
