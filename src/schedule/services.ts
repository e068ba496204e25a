import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { RequestContext } from '../router/resources.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { Services } from './scheduler.ts'
import type { TaskScannerOptions } from './tasks/task-scanner.ts'

export interface ServiceOptions extends Pick<TaskScannerOptions, 'resources' | 'engine' | 'readFile'> {
  readonly scanTasks: (context: JsonObject, request: RequestContext) => Promise<unknown>
}

/** The services that schedules can run (engine §11). All go through the router, like any client. */
export function services({ resources, engine, readFile, scanTasks }: ServiceOptions): Services {
  return {
    /** A reconciliation, to its end. */
    async sync(context, request) {
      const { action, mapping, id } = context
      if (!['reconcile', 'recon', 'reconById'].includes(String(action)))
        throw wrong('action', action, 'reconcile, recon, reconById')
      if (typeof mapping !== 'string' && !isJsonObject(mapping))
        throw wrong('mapping', mapping, 'the name of a mapping, or a mapping with a name')
      if (action === 'reconById' && typeof id !== 'string') throw wrong('id', id, 'the id of a source object')
      const name = action === 'reconById' ? 'reconById' : 'recon'
      const parameters = {
        mapping: typeof mapping === 'string' ? mapping : JSON.stringify(mapping),
        waitForCompletion: 'true',
        ...(name === 'reconById' ? { id: String(id) } : {}),
      }
      const run = await resources().action('recon', { name, content: null, parameters }, request)
      // Other failures have already thrown.
      if (isJsonObject(run) && run.state === 'FAILED')
        throw new Problem('SYNC_FAILED', `the reconciliation ${run._id} failed: its source was empty`)
      return run
    },

    /** liveSync. */
    async provisioner({ action, source }, request) {
      if (action !== 'liveSync' && action !== 'activeSync')
        throw wrong('action', action, 'liveSync, activeSync')
      if (typeof source !== 'string') throw wrong('source', source, 'an object set such as system/hr/account')
      const parameters = { source, detailedFailure: 'true' }
      const liveSync = { name: 'liveSync', content: null, parameters }
      const state = await resources().action('system', liveSync, request)
      if (isJsonObject(state) && isJsonObject(state.lastException))
        throw new Problem('SYNC_FAILED', String(state.lastException.throwable))
      return state
    },

    async script(context, request) {
      const definition = isJsonObject(context.script) ? context.script : undefined
      const read = scriptSource(definition, { label: 'schedule, script', readFile })
      if (!read.ok) throw new Problem('CONFIGURATION', `invokeContext/script: ${read.finding.message}`)
      const input: Json = context.input ?? definition?.input ?? null
      return engine().evaluate(read.value, { input, object: input }, { request })
    },

    async taskscanner(context, request) {
      await scanTasks(context, request)
      return null
    },
  }
}

function wrong(member: string, found: Json | undefined, allowed: string): Problem {
  const fact = `invokeContext/${member} is ${JSON.stringify(found ?? null)}; allowed: ${allowed}`
  return new Problem('BAD_REQUEST', fact)
}
