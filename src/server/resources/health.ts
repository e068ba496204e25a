import { availableParallelism, loadavg, release, type as systemName } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ResourceProvider } from '../../router/resources.ts'
import { stateOf } from './info.ts'

/**
 * `health`, `health/live`, `health/ready`, `health/os`, `health/memory`, `health/recon` (platform §2), with the names of OpenIDM. A thread of a reconciliation
 * means an active run here.
 */
export function healthProvider(
  activeReconciliations: () => number,
  isStopping: () => boolean,
): ResourceProvider {
  let largest = 0
  const answers: Readonly<Record<string, () => JsonObject>> = {
    live: () => stateOf(isStopping),
    ready: () => {
      if (isStopping()) throw new Problem('UNAVAILABLE', 'Syncline is stopping')
      return stateOf(isStopping)
    },
    jdbc: () => {
      throw new Problem('NOT_IMPLEMENTED', 'health/jdbc is not there: the repository needs no connections')
    },
    os: () => ({
      availableProcessors: availableParallelism(),
      systemLoadAverage: loadavg()[0] ?? -1,
      operatingSystemArchitecture: process.arch,
      operatingSystemName: systemName(),
      operatingSystemVersion: release(),
    }),
    memory: () => {
      const { total_heap_size, used_heap_size, heap_size_limit } = getHeapStatistics()
      const { external, arrayBuffers } = process.memoryUsage()
      const outside = external + arrayBuffers
      return {
        objectPendingFinalization: 0,
        heapMemoryUsage: { init: 0, used: used_heap_size, committed: total_heap_size, max: heap_size_limit },
        nonHeapMemoryUsage: { init: 0, used: outside, committed: outside, max: -1 },
      }
    },
    recon: () => {
      const active = activeReconciliations()
      largest = Math.max(largest, active)
      return {
        activeThreads: active,
        ...{ corePoolSize: 1, largestPoolSize: largest, maximumPoolSize: 1, currentPoolSize: active },
      }
    },
  }
  return {
    async read(path) {
      if (path === '') return { _id: '', ...stateOf(isStopping) }
      const answer = Object.hasOwn(answers, path) ? answers[path] : undefined
      if (!answer) throw new Problem('NOT_FOUND', `There is no resource health/${path}`)
      return { _id: path, ...answer() }
    },
  }
}
