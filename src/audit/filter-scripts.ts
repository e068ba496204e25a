import type { Log } from '../kit/log.ts'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { program as runScript } from '../model/run-script.ts'
import type { AuditEvent } from '../repository/audit.ts'
import type { RequestContext } from '../router/resources.ts'
import { type ScriptDefinitionOptions, scriptSource } from '../scripts/definition.ts'
import type { LoadedProgram, ScriptEngine } from '../scripts/engine.ts'
import type { RunFilter } from './trail.ts'

export interface FilterScriptOptions extends Pick<ScriptDefinitionOptions, 'readFile'> {
  readonly engine: ScriptEngine
  readonly log: Log
}

/**
 * Runs filter scripts over pages of events: one call into the sandbox for all events of a request. If a script fails, the
 * event is kept: an error in a script must not hide anything.
 */
export function filterScripts({ engine, readFile, log }: FilterScriptOptions): AsyncDisposable & {
  readonly run: RunFilter
} {
  const programs = new Map<JsonObject, LoadedProgram<typeof runScript>>()
  function programOf(definition: JsonObject): LoadedProgram<typeof runScript> {
    const known = programs.get(definition)
    if (known) return known
    const read = scriptSource(definition, { label: 'audit filter', readFile })
    if (!read.ok) throw new Problem('CONFIGURATION', read.finding.message)
    const program = engine.load(runScript, { scripts: { filter: read.value } })
    programs.set(definition, program)
    return program
  }
  const run: RunFilter = async (definition, events) => {
    const program = programOf(definition)
    const refused = new Set<AuditEvent>()
    const byRequest = Map.groupBy(events, ({ content }) => `${content.userId} ${content.transactionId}`)
    for (const some of byRequest.values()) {
      const inputs = some.map((event) => ({ script: 'filter', variables: { request: creation(event) } }))
      const outcomes = await program.run('runScript', inputs, { request: requestOf(some[0]) })
      for (const [index, event] of some.entries()) {
        const outcome = outcomes[index]
        if (outcome?.ok && outcome.value.value !== true) refused.add(event)
      }
      const failed = outcomes.find((outcome) => !outcome.ok)
      if (failed && !failed.ok) log('warn', `${failed.error.message}: the events are kept`)
    }
    return events.map((event) => !refused.has(event))
  }
  return {
    run,
    async [Symbol.asyncDispose]() {
      for (const program of programs.values()) await program[Symbol.asyncDispose]()
    },
  }
}

/** What a script sees as `request`: the creation of the entry. */
function creation({ topic, id, content }: AuditEvent): JsonObject {
  return {
    method: 'create',
    resourcePath: `audit/${topic}`,
    newResourceId: id,
    content: { _id: id, ...content },
  }
}

/** The context in which the script runs. Its requests cannot change anything. */
function requestOf(event: AuditEvent | undefined): RequestContext {
  const { userId, transactionId, roles } = event?.content ?? {}
  return {
    external: false,
    readOnly: true,
    userId: String(userId ?? ''),
    transactionId: String(transactionId ?? ''),
    roles: Array.isArray(roles) ? roles.map(String) : [],
  }
}
