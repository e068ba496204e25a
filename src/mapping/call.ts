import type { Json } from '../model/json.ts'

/** Key of a script in the mapping's program, e.g. `validSource` or `properties/3/transform`. */
export type ScriptName = string

/**
 * Calls an administrator's script by its name in the mapping's program. In the sandbox it is the script itself; a
 * test passes a lambda. (Same shape as the scripts' port, declared here because the core knows no other folder.)
 */
export type Call = (script: string, variables: Readonly<Record<string, unknown>>) => Json | undefined

/** For mappings whose rules need no script: reaching it is a programming error. */
export const noScripts: Call = (script) => {
  throw new Error(`script ${script} was called outside the sandbox`)
}
