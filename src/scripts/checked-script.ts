import type { Place, Read } from '../model/finding.ts'
import type { Json } from '../model/json.ts'
import { type ScriptDefinitionOptions, scriptSource } from './definition.ts'
import type { ScriptEngine, ScriptSource } from './engine.ts'

export interface CheckedScriptOptions extends ScriptDefinitionOptions {
  readonly engine: Pick<ScriptEngine, 'check'>
  /** How a message begins that does not name the script itself. Absent: the label. */
  readonly about?: string
  /** Where a syntax error stands in the script object. Absent: it is the script's as a whole. */
  readonly codeAt?: Place
}

/** A script object of the configuration, read and free of syntax errors, or what is wrong with it, and where in it. */
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
  // The engine's message names the script.
  return error
    ? { ok: false, finding: { place: codeAt, message: error.message } }
    : { ok: true, value: read.script }
}
