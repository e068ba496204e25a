import type { DocumentFinding, Read } from '../model/finding.ts'
import type { Json, JsonObject } from '../model/json.ts'
import type { RouterFilter } from '../router/filter.ts'
import type { ResourceProvider } from '../router/resources.ts'
import type { ScriptEngine } from '../scripts/engine.ts'

/**
 * A part of the server that is configured by documents of its own. The server is a list of them (server/features.ts): the check, a
 * generation of the configuration and the application are loops over it.
 *
 *     compile    documents → value and findings; reaches nothing outside
 *     begin      once a process: what stays when the configuration changes
 *     open       once a generation: what stands in the router while it is in force
 *
 * What a feature needs it names in the types of its parameters; the list has to offer all of it.
 */
export interface FeatureDefinition<Value, Begun extends Part, Tools, Host, Services> {
  readonly name: string
  /** The ids of its documents, e.g. `/^endpoint\//`. */
  readonly documents: RegExp
  /** JSON Schema of its documents; absent: it has none, or `config` has it. */
  readonly schema?: JsonObject
  compile(documents: readonly Document[], tools: Tools): Compiled<Value> | Promise<Compiled<Value>>
  begin?(host: Host): Begun
  open?(value: Value, services: Services, begun: Begun | undefined): Part | Promise<Part>
}

/** A document of the configuration as features see it. */
export interface Document {
  /** `endpoint/echo` of conf/endpoint-echo.json. */
  readonly id: string
  /** Undefined if it has an error that makes all of it unusable. */
  readonly content: JsonObject | undefined
}

export interface Compiled<Value> {
  readonly value: Value
  readonly findings: readonly DocumentFinding[]
  /** What it consists of: two generations in which an entry (`endpoint/echo`) is equal treat it alike. */
  readonly entries?: Readonly<Record<string, unknown>>
}

/** What most features compile with. */
export interface CompileTools {
  readonly engine: ScriptEngine
  /** Of the project. */
  readonly folder: string
  /** A file of the project; undefined if there is none. */
  readFile(path: string): string | undefined
  /** Of the process and the project (platform §3.2). */
  property(name: string): Json | undefined
}

/** What a feature adds to the server. */
export interface Part extends Partial<AsyncDisposable> {
  /** By their paths. */
  readonly mounts?: Readonly<Record<string, ResourceProvider>>
  /** Around every request, those of earlier features outside. */
  readonly filters?: readonly RouterFilter[]
  /** What it does by itself while a server runs; a command starts nothing. */
  start?(): Promise<void>
  /** Its generation is in force from now on. */
  activate?(): Promise<void>
}

/** The value of a feature stays inside: a loop over features need not know its type. */
export interface Feature<Value, Tools, Host, Services> {
  readonly name: string
  readonly documents: RegExp
  readonly schema: JsonObject | undefined
  compile(documents: readonly Document[], tools: Tools): Promise<Compiled<Value>>
  begin(host: Host): BegunFeature<Tools, Services>
  /** What was compiled with these tools; a feature that needs another's value stands behind it in the list. */
  of(tools: Tools): Value
}

export interface BegunFeature<Tools, Services> {
  readonly part: Part
  compile(documents: readonly Document[], tools: Tools): Promise<Compiled<unknown>>
  /** What was compiled with these tools. */
  open(tools: Tools, services: Services): Promise<Part>
}

export function feature<
  Value,
  Begun extends Part = Part,
  Tools extends object = CompileTools,
  Host = unknown,
  Services = unknown,
>(definition: FeatureDefinition<Value, Begun, Tools, Host, Services>): Feature<Value, Tools, Host, Services> {
  const { name, documents, schema } = definition
  const values = new WeakMap<Tools, { readonly value: Value }>()
  async function compile(all: readonly Document[], tools: Tools): Promise<Compiled<Value>> {
    const own = all.filter(({ id }) => documents.test(id))
    const compiled = await definition.compile(own, tools)
    values.set(tools, compiled)
    return compiled
  }
  function of(tools: Tools): Value {
    const found = values.get(tools)
    if (!found) throw new Error(`the feature ${name} has to stand before what needs it`)
    return found.value
  }
  function begin(host: Host): BegunFeature<Tools, Services> {
    const begun = definition.begin?.(host)
    return {
      part: begun ?? {},
      compile,
      open: async (tools, services) => (await definition.open?.(of(tools), services, begun)) ?? {},
    }
  }
  return { name, documents, schema, compile, begin, of }
}

/** Of a feature with one value a document; what is found in one does not concern the others. `read`: undefined for none. */
export async function compileEach<One>(
  documents: readonly Document[],
  /** `name`: the part of the id behind the slash. */
  read: (name: string, content: JsonObject) => Promise<Read<One> | undefined> | Read<One> | undefined,
): Promise<Compiled<readonly One[]>> {
  const value: One[] = []
  const findings: DocumentFinding[] = []
  const entries: Record<string, unknown> = {}
  for (const { id, content } of documents) {
    const one = content && (await read(id.slice(id.indexOf('/') + 1), content))
    if (one?.ok === false) findings.push({ ...one.finding, document: id })
    if (one?.ok !== true) continue
    value.push(one.value)
    entries[id] = one.value
  }
  return { value, findings, entries }
}
