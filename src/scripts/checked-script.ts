import type { Place, Read } from '../model/finding.ts'
import type { Json } from '../model/json.ts'
import { type ScriptDefinitionOptions, scriptSource } from './definition.ts'
import type { ScriptEngine, ScriptSource } from './engine.ts'

export interface CheckedScriptOptions extends ScriptDefinitionOptions {
  readonly engine: Pick<ScriptEngine, 'check'>
  /** The prefix of messages that do not name the script. Absent: the label. */
  readonly about?: string
  /** The place for syntax errors in the script object. Absent: the script object itself. */
  readonly codeAt?: Place
}

/** Reads a script object of the configuration and checks its syntax. Returns the script, or the error with its place. */
export async function checkedScript(
  definition: Json | undefined,
  { engine, about, codeAt = [], ...options }: CheckedScriptOptions,
): Promise<Read<ScriptSource>> {
  const read = scriptSource(definition, options)
  if (!read.ok) {
    const message = `${about ?? options.label}: ${read.message}`
    return { ok: false, finding: { place: read.place, message } }
  }
  const error = await engine.check(read.script)
  // The message of the engine already names the script.
  return error
    ? { ok: false, finding: { place: codeAt, message: error.message } }
    : { ok: true, value: read.script }
}
