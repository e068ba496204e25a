import { type Application, openApplication } from '../app.ts'
import { formatProblem } from '../config/problem.ts'

/**
 * Opens the project for one command and closes it afterwards, whatever happens. What is wrong elsewhere in the
 * configuration is printed as a warning: it does not concern this command.
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
  for (const problem of application.problems) console.error(formatProblem(problem))
  return await work(application)
}
