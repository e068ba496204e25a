import { hostname, uptime } from 'node:os'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'

/**
 * Keeps two processes on one data folder (a server and a command line, two cron jobs) from reconciling the same link
 * set at once (engine specification §7.2, [D]). The lock is a row of the store that names its holder; one whose
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
    if (isHeld(holder)) {
      const { run, pid } = holder
      throw new Problem(
        'CONFLICT',
        `${linkType} is being reconciled already, by run ${run} of process ${pid}`,
      )
    }
    await settings.write(key, { run: runId, pid: process.pid, host: hostname(), booted: bootTime() })
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

function isHeld(holder: Json | undefined): holder is JsonObject {
  if (!isJsonObject(holder)) return false
  // Process numbers mean nothing on another machine or after a restart of this one.
  if (holder.host !== hostname() || Math.abs(Number(holder.booted) - bootTime()) > 60) return false
  return isAlive(Number(holder.pid))
}

/** Seconds since 1970; the same at every call until the machine restarts, give or take a clock's correction. */
function bootTime(): number {
  return Math.round(Date.now() / 1000 - uptime())
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
