import type { Place, Read } from '../model/finding.ts'
import { asObject, isJsonObject, type Json, type JsonObject, setMember } from '../model/json.ts'
import type { ScriptEngine, ScriptSource } from './engine.ts'
import { shippedScript } from './shipped-files.ts'

export interface ScriptDefinitionOptions {
  /** The name of the script in errors. */
  readonly label: string
  /** The text of a file by its path relative to the project; undefined if there is none. */
  readFile(path: string): string | undefined
}

/**
 * Reads a script object of the configuration (engine §2.6; platform §7.1):
 * `{ type, source | file | name, globals?, …extra }`. Members of `globals` and every further key that does not begin
 * with `_` become variables. The caller passes a function that reads the project's files.
 */
export function scriptSource(
  definition: Json | undefined,
  options: ScriptDefinitionOptions,
): Read<ScriptSource> {
  if (!isJsonObject(definition)) return wrong([], 'a script is an object with "type" and "source" or "file"')
  const { type, globals } = definition
  if (type !== undefined && !isJavaScript(type)) return wrongType(type)
  if (globals !== undefined && !isJsonObject(globals))
    return wrong(['globals'], '"globals" must be an object')
  const code = readCode(definition, options)
  if (!code.ok) return code
  const { source, file } = code.value
  return { ok: true, value: { label: options.label, source, file, globals: variables(definition) } }
}

interface CheckedScriptOptions extends ScriptDefinitionOptions {
  readonly engine: Pick<ScriptEngine, 'check'>
  /** The prefix of messages that do not name the script. Absent: the label. */
  readonly about?: string
  /** The place for syntax errors in the script object. Absent: the script object itself. */
  readonly codeAt?: Place
}

/** The same, with its syntax checked. */
export async function checkedScript(
  definition: Json | undefined,
  { engine, about, codeAt = [], ...options }: CheckedScriptOptions,
): Promise<Read<ScriptSource>> {
  const read = scriptSource(definition, options)
  if (!read.ok) return wrong(read.finding.place, `${about ?? options.label}: ${read.finding.message}`)
  const error = await engine.check(read.value)
  // The message of the engine already names the script.
  return error ? wrong(codeAt, error.message) : read
}

type Code = Pick<ScriptSource, 'source' | 'file'>
type Wrong = Extract<Read<never>, { ok: false }>

function readCode(definition: JsonObject, { readFile }: ScriptDefinitionOptions): Read<Code> {
  const { type, source, file = definition.name } = definition
  const key = definition.file === undefined ? 'name' : 'file'
  if (file !== undefined && (typeof file !== 'string' || file === ''))
    return wrong([key], `"${key}" must be a path`)
  if (source !== undefined) {
    if (typeof source !== 'string') return wrong(['source'], '"source" must be a string')
    if (type === undefined) return wrong([], 'an inline script needs "type": "text/javascript"')
    // If both are given, the source runs and the file is only its name.
    return { ok: true, value: { source, file } }
  }
  if (file === undefined) return wrong([], 'a script needs "source" with its code, or "file" with its path')
  if (/\.groovy$/i.test(file)) return wrongType('groovy', key)
  return readFirst(file, key, readFile)
}

/** From the project folder, then from its script folder; then what OpenIDM ships. */
function readFirst(file: string, key: string, readFile: ScriptDefinitionOptions['readFile']): Read<Code> {
  const found = fileText(file, readFile)
  if (found) return { ok: true, value: found }
  return wrong(
    [key],
    `the project has no file "${file}", and its folder script/ has none either; put it there, or correct the name`,
  )
}

/** True if a script object may name this file. */
export function hasFile(file: string, readFile: ScriptDefinitionOptions['readFile']): boolean {
  return fileText(file, readFile) !== undefined
}

function fileText(file: string, readFile: ScriptDefinitionOptions['readFile']): Code | undefined {
  for (const path of [file, `script/${file}`]) {
    const source = readFile(path)
    if (source !== undefined) return { source, file: path }
  }
  const source = shippedScript(file)
  return source === undefined ? undefined : { source, file }
}

function isJavaScript(type: Json): boolean {
  return typeof type === 'string' && /^(?:text\/|application\/)?(?:java|ecma)script$/i.test(type)
}

function wrongType(type: Json, key = 'type'): Wrong {
  if (typeof type === 'string' && /groovy/i.test(type)) {
    return wrong(
      [key],
      'Groovy scripts are not supported: rewrite it in JavaScript with "type": "text/javascript"',
    )
  }
  return wrong([key], `"type" must be "text/javascript", not ${JSON.stringify(type)}`)
}

const ownKeys: readonly string[] = ['type', 'source', 'file', 'name', 'globals']

function variables(definition: JsonObject): JsonObject {
  const result: JsonObject = {}
  const extra = Object.entries(definition).filter(
    ([name]) => !ownKeys.includes(name) && !name.startsWith('_'),
  )
  for (const [name, value] of [...extra, ...Object.entries(asObject(definition.globals))]) {
    if (value !== undefined) setMember(result, name, value)
  }
  return result
}

function wrong(place: Place, message: string): Wrong {
  return { ok: false, finding: { place, message } }
}
