import type { ConnectorScripts } from '../connectors/kit/scripts.ts'
import type { ScriptEngine } from '../scripts/engine.ts'

/** The sandbox as connectors get it. Their scripts act for nobody: they have no `openidm`. */
export function connectorScripts(
  engine: ScriptEngine,
  readFile: (path: string) => string | undefined,
): ConnectorScripts {
  return {
    read: readFile,
    check: (script) => engine.check(script),
    load(program, parts) {
      const loaded = engine.load(program, parts)
      return {
        run: (procedure, inputs, tools) => loaded.run(procedure, inputs, { ...tools, request: nobody }),
        [Symbol.asyncDispose]: () => loaded[Symbol.asyncDispose](),
      }
    },
  }
}

const nobody = { external: false, userId: 'connector', roles: [], transactionId: 'connector' }
