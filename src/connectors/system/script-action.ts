import { patternOf } from '../../kit/pattern.ts'
import { asObject, type Json, type JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { ResourceAction } from '../../router/resources.ts'
import { type Connector, offers } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Calls } from './calls.ts'
import { jsonOf } from './convert.ts'
import { timeoutOf } from './operation.ts'

/** What runs the scripts of `systemActions` (platform §4.1, §4.6). */
export interface ScriptRunner {
  readonly system: string
  readonly connector: Connector
  readonly configuration: JsonObject
  readonly calls: Calls
  /** The text of a file of the project. */
  readonly read: (path: string) => string | undefined
}

/**
 * The action `script` of a system: the scripts that `systemActions` has under this `scriptId` for this kind of connector, with the
 * members of the body as variables. The answer has an entry for each, what it came to or why it failed.
 */
export async function scriptAction(runner: ScriptRunner, action: ResourceAction): Promise<Json> {
  const { scriptId, _scriptId, scriptVariablePrefix: prefix = '' } = action.parameters
  const id = scriptId ?? _scriptId
  if (id === undefined) throw new Problem('BAD_REQUEST', 'The action "script" needs the parameter scriptId')
  const body = Object.entries(asObject(action.content))
  const variables = Object.fromEntries(body.map(([name, value]) => [`${prefix}${name}`, value ?? null]))
  const actions: Json[] = []
  for (const one of scriptsOf(runner, id)) actions.push(await outcomeOf(runner, one, variables))
  return { actions }
}

function scriptsOf({ system, configuration }: ScriptRunner, id: string): readonly JsonObject[] {
  const { systemActions } = configuration
  const declared = (Array.isArray(systemActions) ? systemActions : []).map(asObject)
  const found = declared.find(({ scriptId }) => scriptId === id)
  if (!found) {
    const known = declared.map(({ scriptId }) => String(scriptId)).join(', ') || 'none'
    throw new Problem(
      'NOT_FOUND',
      `The system ${system} has no script "${id}" in systemActions; there are: ${known}`,
    )
  }
  const kind = String(asObject(configuration.connectorRef).connectorName)
  const scripts = (Array.isArray(found.actions) ? found.actions : []).map(asObject)
  return scripts.filter(({ systemType }) => typeof systemType !== 'string' || isOfKind(systemType, kind))
}

/** Java matches the whole name. */
function isOfKind(systemType: string, kind: string): boolean {
  return patternOf(`^(?:${systemType})$`).test(kind)
}

async function outcomeOf(
  { system, connector, configuration, calls, read }: ScriptRunner,
  { actionType, actionSource, actionFile }: JsonObject,
  variables: JsonObject,
): Promise<Json> {
  const name = 'SCRIPT_ON_CONNECTOR'
  const timeout = timeoutOf(configuration, name)
  try {
    if (!offers(connector, 'runScript'))
      throw new ConnectorError('unsupported', `The connector of system ${system} runs no scripts`)
    const text = typeof actionSource === 'string' ? actionSource : read(String(actionFile))
    if (text === undefined)
      throw new ConnectorError('misconfigured', `The project has no file ${String(actionFile)}`)
    const call = { language: String(actionType ?? 'javascript'), text, variables }
    const value = await calls.call({ system, name, timeout }, undefined, (signal) =>
      connector.runScript(call, signal),
    )
    return { result: jsonOf(value) }
  } catch (error) {
    return { error: asProblem(error).message }
  }
}
