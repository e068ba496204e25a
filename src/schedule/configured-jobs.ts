import { locateProblem } from '../config/problem.ts'
import type { ConfigurationProblem, Project } from '../config/project.ts'
import { type Job, JobError, readJob } from './job.ts'
import { readTaskScan, TaskScanError } from './tasks/task-scan.ts'

/** The jobs of `conf/schedule-*.json`; what is wrong with one is found with its place. */
export function configuredJobs({ documents, problems: known }: Project): {
  readonly jobs: readonly Job[]
  readonly problems: readonly ConfigurationProblem[]
} {
  const jobs: Job[] = []
  const problems: ConfigurationProblem[] = []
  for (const document of documents) {
    const name = /^schedule\/(.+)$/.exec(document.id)?.[1]
    const broken = known.some(({ severity, file }) => severity === 'error' && file === document.file)
    if (name === undefined || !document.content || broken) continue
    try {
      const job = readJob(name, document.content)
      if (job.service === 'taskscanner') readTaskScan(job.context)
      jobs.push(job)
    } catch (error) {
      problems.push(locateProblem(document, placeOf(error), `schedule ${name}: ${(error as Error).message}`))
    }
  }
  return { jobs, problems }
}

function placeOf(error: unknown): readonly string[] {
  if (error instanceof JobError) return [error.member]
  if (error instanceof TaskScanError) return ['invokeContext', ...error.place]
  throw error
}
