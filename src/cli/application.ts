import { formatProblem } from '../config/locate.ts'
import { type Application, openApplication } from '../server/application.ts'
import { isAbout } from '../server/usable.ts'

/**
 * Opens the project for one command and always closes it afterwards. Errors elsewhere in the configuration and warnings
 * about the command's mapping are printed, but do not stop it. `check` prints all.
 */
export async function withApplication<T>(
  options: { projectFolder: string; dataFolder: string; mapping?: string | undefined },
  work: (application: Application) => Promise<T>,
): Promise<T> {
  await using application = await openApplication({
    ...options,
    environment: process.env,
    flags: {},
    log: (_level, message) => console.error(message),
  })
  if (options.mapping !== undefined) application.requireMapping(options.mapping)
  const { problems, project } = application
  const printed = problems.filter(
    (problem) =>
      problem.severity === 'error' ||
      (options.mapping !== undefined && isAbout(project, problem, options.mapping)),
  )
  for (const problem of printed) console.error(formatProblem(problem))
  return await work(application)
}
