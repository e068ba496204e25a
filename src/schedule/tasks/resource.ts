import { isJsonObject, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { queryCollection } from '../../router/collection.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'
import type { TaskRun, TaskScanner } from './task-scanner.ts'

/**
 * `taskscanner` (platform §2): `execute` runs the task scan of a schedule, by its name, or one in the request. Runs can be
 * read, queried and cancelled.
 */
export function taskScannerProvider(
  scanner: TaskScanner,
  /** The invokeContext of a schedule that is a task scan. */
  contextOf: (schedule: string) => Promise<JsonObject | undefined>,
): ResourceProvider {
  function required(id: string): TaskRun {
    const run = scanner.runs().find((one) => one.id === id)
    if (!run) throw new Problem('NOT_FOUND', `There is no run of the task scanner with the id "${id}"`)
    return run
  }
  async function contextIn(name: string | undefined, content: unknown): Promise<JsonObject> {
    if (name === undefined) {
      if (isJsonObject(content) && isJsonObject(content.scan)) return content
      throw new Problem('BAD_REQUEST', 'execute needs the name of a schedule, or a task scan as body')
    }
    const schedule = name.replace(/^(?:schedule|scheduler\/job)\//, '')
    const context = await contextOf(schedule)
    if (!context)
      throw new Problem('NOT_FOUND', `There is no schedule "${schedule}" of the service taskscanner`)
    return context
  }
  return {
    async read(id) {
      if (id === '') return { _id: '', tasks: scanner.runs().map(shown) }
      return shown(required(id))
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `taskscanner/${path} is a run, not a set`)
      return queryCollection(scanner.runs().map(shown), query)
    },
    async action(id, { name, parameters, content }, request) {
      if (name === 'execute' && id === '') {
        const run = await scanner.execute(await contextIn(parameters.name, content), request)
        return { _id: run.id }
      }
      if (name === 'cancel' && id !== '') {
        required(id)
        const status = (await scanner.cancel(id)) ? 'SUCCESS' : 'FAILURE'
        return { _id: id, action: 'cancel', status }
      }
      const allowed = 'execute on taskscanner, cancel on one of its runs'
      throw new Problem('BAD_REQUEST', `unknown action ${name}; allowed: ${allowed}`)
    },
  }
}

function shown({ id, started, ended, message, ...run }: TaskRun): Resource {
  const { state, total, processed, successes, failures } = run
  return {
    _id: id,
    progress: { state, processed, total, successes, failures },
    started,
    ended: ended ?? null,
    ...(message !== undefined && { message }),
  }
}
