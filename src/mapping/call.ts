import type { Json } from '../model/json.ts'

/** Key of a script in the mapping's program, e.g. `validSource` or `properties/3/transform`. */
export type ScriptName = string

/**
 * Calls an administrator's script by its name in the mapping's program. In the sandbox it runs the script; a test
 * passes a lambda. (The scripts' port has the same type. It is declared here because the core imports no other folder.)
 */
export type Call = (script: string, variables: Readonly<Record<string, unknown>>) => Json | undefined

/** For mappings whose rules need no script: calling it is a programming error. */
export const noScripts: Call = (script) => {
  throw new Error(`script ${script} was called outside the sandbox`)
}
