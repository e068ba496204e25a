import { locateProblem } from './config/problem.ts'
import type { ConfigurationProblem, Project } from './config/project.ts'
import { type Job, JobError, readJob } from './schedule/job.ts'

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
      jobs.push(readJob(name, document.content))
    } catch (error) {
      if (!(error instanceof JobError)) throw error
      problems.push(locateProblem(document, [error.member], `schedule ${name}: ${error.message}`))
    }
  }
  return { jobs, problems }
}
