import { type CompileTools, compileEach, feature } from '../feature/feature.ts'
import { attempt, below, type Finding, type Read } from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'
import type { Locks } from '../repository/locks.ts'
import type { Repository } from '../repository/repository.ts'
import { type Job, readJob } from './job.ts'
import { jobProvider, schedulerProvider, triggerProvider } from './resource.ts'
import { Scheduler } from './scheduler.ts'
import { services } from './services.ts'
import { taskScannerProvider } from './tasks/resource.ts'
import { readTaskScan } from './tasks/task-scan.ts'
import { TaskScanner, type TaskScannerOptions } from './tasks/task-scanner.ts'

/** `engine` and `readFile` are those of the current configuration, which stays open `during` some work. */
export interface ScheduleHost extends Required<Omit<TaskScannerOptions, 'now'>> {
  readonly repository: Repository
  /** Separates processes on the same store. */
  readonly locks: Locks
}

/** The jobs of `conf/schedule-*.json`, and the scheduler that runs them. */
export const scheduleFeature = feature({
  name: 'schedule',
  documents: /^schedule\//,
  compile: (documents, _tools: CompileTools) => compileEach(documents, compiledJob),
  begin(host: ScheduleHost) {
    const { repository, resources, locks, during, log } = host
    const tasks = new TaskScanner(host)
    const run = services({ ...host, scanTasks: tasks.execute.bind(tasks) })
    const scheduler = new Scheduler({ repository, services: run, locks, during, log }, [])
    const contextOf = async (name: string) => {
      const job = scheduler.job(name)
      return job?.service === 'taskscanner' ? job.context : undefined
    }
    return {
      scheduler,
      mounts: {
        taskscanner: taskScannerProvider(tasks, contextOf),
        scheduler: schedulerProvider,
        'scheduler/job': jobProvider(scheduler, resources),
        'scheduler/trigger': triggerProvider(scheduler),
        'scheduler/waitingTriggers': triggerProvider(scheduler, ['NORMAL', 'PAUSED']),
        'scheduler/acquiredTriggers': triggerProvider(scheduler, ['ACQUIRED']),
      },
      start: () => scheduler.start(),
      async [Symbol.asyncDispose]() {
        await scheduler[Symbol.asyncDispose]()
        await tasks[Symbol.asyncDispose]()
      },
    }
  },
  open: (jobs, _services: unknown, begun) => ({ activate: async () => begun?.scheduler.configure(jobs) }),
})

function compiledJob(name: string, content: JsonObject): Read<Job> {
  const job = attempt(() => readJob(name, content))
  const scan = job.ok && job.value.service === 'taskscanner' && attempt(() => readTaskScan(job.value.context))
  if (!job.ok) return { ok: false, finding: about(name, job.finding) }
  if (!scan || scan.ok) return job
  const [finding = scan.finding] = below(['invokeContext'], [scan.finding])
  return { ok: false, finding: about(name, finding) }
}

function about(name: string, finding: Finding): Finding {
  return { ...finding, message: `schedule ${name}: ${finding.message}` }
}
