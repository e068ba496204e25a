import { asProblem } from '../../model/problem.ts'
import { isTrueLike } from '../../model/true-like.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import type { RoutedRequest } from '../filter.ts'
import { program } from './authorization-program.ts'
import { requestVariable } from './request-variable.ts'

/**
 * `customAuthz` of access rules (platform §10): JavaScript expressions that see `request`, `context` and the
 * functions of authorization-program.ts. An expression that fails, or is not true-like, grants nothing.
 */
export function customAuthorization(
  expressions: readonly string[],
  engine: ScriptEngine,
  log: (level: 'warn', message: string) => void,
): AsyncDisposable & { judge(expression: string, request: RoutedRequest): Promise<boolean> } {
  const scripts = Object.fromEntries(expressions.map((one) => [one, expressionScript(one)]))
  const loaded = engine.load(program, { scripts })
  return {
    async judge(expression, request) {
      try {
        const input = { script: expression, request: requestVariable(request) }
        return isTrueLike(await loaded.one('authorized', input, { request: request.context }))
      } catch (error) {
        const why = asProblem(error).message
        log('warn', `conf/access.json: customAuthz "${expression}" grants nothing: ${why}`)
        return false
      }
    },
    [Symbol.asyncDispose]: () => loaded[Symbol.asyncDispose](),
  }
}

/** The line break ends a comment at the end of the expression. */
export function expressionScript(expression: string): ScriptSource {
  return { label: `customAuthz ${expression}`, source: `(${expression}\n)`, globals: {} }
}
