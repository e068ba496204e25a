import { formatProblem } from '../config/locate.ts'
import { type Application, openApplication } from '../server/application.ts'
import { isAbout } from '../server/usable.ts'
import { folders, type ProjectOptions } from './options.ts'

type Work<T> = (application: Application) => Promise<T>

/** Opens the project for one command, and closes it at the end. */
export function withApplication<T>(options: ProjectOptions, work: Work<T>): Promise<T> {
  return withMapping(options, undefined, work)
}

/**
 * The same for a command on a mapping. Errors elsewhere in the configuration and warnings about the mapping are printed,
 * but do not stop it. `check` prints all.
 */
export async function withMapping<T>(
  options: ProjectOptions,
  mapping: string | undefined,
  work: Work<T>,
): Promise<T> {
  await using application = await openApplication({
    ...folders(options),
    environment: process.env,
    flags: {},
    log: (_level, message) => console.error(message),
  })
  if (mapping !== undefined) application.requireMapping(mapping)
  const { problems, project } = application
  const doubts = mapping === undefined ? [] : await application.doubts()
  for (const problem of [...problems, ...doubts])
    if (problem.severity === 'error' || (mapping !== undefined && isAbout(project, problem, mapping)))
      console.error(formatProblem(problem))
  return await work(application)
}
