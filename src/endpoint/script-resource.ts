import { isJsonObject, type Json } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { ResourceProvider } from '../router/resources.ts'
import { scriptSource } from '../scripts/definition.ts'
import type { ScriptEngine, ScriptSource } from '../scripts/engine.ts'

/**
 * `script` (platform §2): `eval` runs the script in the request and returns its value; `compile` checks its syntax. Only
 * for administrators: a script may do everything that they may.
 */
export function scriptProvider(
  engine: ScriptEngine,
  readFile: (path: string) => string | undefined,
): ResourceProvider {
  function scriptIn(content: Json): ScriptSource {
    if (!isJsonObject(content)) throw new Problem('BAD_REQUEST', 'the body must be a script object')
    const read = scriptSource(content, { label: 'script', readFile })
    if (!read.ok) throw new Problem('BAD_REQUEST', read.finding.message)
    return read.value
  }
  return {
    async action(path, { name, content }, request) {
      if (path !== '') throw new Problem('NOT_FOUND', `There is no resource script/${path}`)
      if (name !== 'eval' && name !== 'compile')
        throw new Problem('BAD_REQUEST', `unknown action ${name} on script; allowed: eval, compile`)
      const script = scriptIn(content)
      const problem = await engine.check(script)
      if (problem)
        throw new Problem('BAD_REQUEST', problem.message, { detail: problem.detail, cause: problem })
      if (name === 'compile') return true
      return (await engine.evaluate(script, {}, { request })) ?? null
    },
  }
}
