import { compileGlobally, stringify } from './primordials.ts'
import type { PreparedScript } from './program.ts'

/**
 * Turns a script into a function of its variables that returns the completion value (engine §2.6).
 * Only `eval` yields that value, and only a direct one sees the variables: V8 keeps what it compiled for a given
 * place and text, so a call costs about as much as a function's. A single expression needs no `eval` at all.
 */
export function compile(
  script: PreparedScript,
  variables: readonly string[],
): (...values: unknown[]) => unknown {
  const url = `//# sourceURL=${script.url}`
  let parameters = ''
  for (let i = 0; i < variables.length; i++) parameters += i === 0 ? variables[i] : `,${variables[i]}`
  const body =
    script.expression === undefined
      ? `return eval(${stringify(`${script.source}\n${url}`)})`
      : `return (\n${script.expression}\n)`
  return compileGlobally(`(function(${parameters}){${body}})\n${script.expression === undefined ? '' : url}`)
}

/** Lines before the script's first one in what `compile` made. */
export function linesBefore(script: PreparedScript): number {
  return script.expression === undefined ? 0 : 1
}
