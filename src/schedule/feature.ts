import { type CompileTools, compileEach, type Document, feature } from '../feature/feature.ts'
import {
  attempt,
  below,
  type DocumentFinding,
  type Finding,
  inDocument,
  type Read,
} from '../model/finding.ts'
import type { JsonObject } from '../model/json.ts'
import type { Locks } from '../repository/locks.ts'
import type { Repository } from '../repository/repository.ts'
import { pauseAtClockChange } from './clock-change.ts'
import { type Job, jobFindings, readJob } from './job.ts'
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
  async compile(documents, _tools: CompileTools) {
    const compiled = await compileEach(documents, compiledJob)
    const pauses = compiled.value.flatMap((job) => pausing(job, Date.now()))
    const findings = compiled.findings.flatMap((first) => furtherFindings(first, documents))
    return { ...compiled, findings: [...findings, ...pauses] }
  },
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

/** A job is read up to its first error; here are all of them. */
function furtherFindings(first: DocumentFinding, documents: readonly Document[]): readonly DocumentFinding[] {
  const content = documents.find(({ id }) => id === first.document)?.content
  const name = first.document.slice('schedule/'.length)
  const all = content ? jobFindings(name, content) : []
  return all.length < 2
    ? [first]
    : inDocument(
        { id: first.document },
        all.map((one) => about(name, one)),
      )
}

/** A warning for a schedule that pauses when the clock is put back. */
function pausing({ id, trigger }: Job, now: number): readonly DocumentFinding[] {
  const pause = trigger.kind === 'cron' ? pauseAtClockChange(trigger.cron, trigger.zone, now) : undefined
  if (!pause) return []
  const date = new Date(pause.from).toISOString().slice(0, 10)
  const message = `schedule ${id}: it does not run for ${pause.minutes} minutes when the clock is put back (next on ${date}), since each local time fires once; write "timeZone": "UTC", or "type": "simple" with "repeatInterval"`
  return [{ severity: 'warning', document: `schedule/${id}`, place: ['schedule'], message }]
}

function about(name: string, finding: Finding): Finding {
  return { ...finding, message: `schedule ${name}: ${finding.message}` }
}
