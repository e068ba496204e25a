import type { CompileTools } from '../../feature/feature.ts'
import { below, type Finding } from '../../model/finding.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { RequestContext } from '../../router/resources.ts'
import { checkedScript } from '../../scripts/definition.ts'
import type { ScriptEngine, ScriptOutcome, ScriptSource } from '../../scripts/engine.ts'
import { eachElement, nameOf, type Place, placesOf, type Step } from './places.ts'
import { program, type ReadingScripts, type Retrieved } from './program.ts'
import type { ManagedType } from './type.ts'

/** The scripts of one managed type, ready to run. */
export interface TypeScripts {
  has(name: string): boolean
  /** SCRIPT_FAILED, or what the script threw itself (platform §6.2). */
  run(name: string, variables: JsonObject, request: RequestContext): Promise<ScriptResult>
  /** What the scripts of reading make of stored objects, at their places; what one throws fails its own object. */
  retrieve(
    objects: readonly Retrieved[],
    request: RequestContext,
  ): Promise<readonly ScriptOutcome<JsonObject>[]>
  /** The code of a script, as far as it is known. */
  sourceOf(name: string): string | undefined
}

export interface ScriptResult {
  /** The completion value; undefined if it has none. */
  readonly value?: Json
  /** The variable `object` as the script left it. */
  readonly object?: JsonObject
}

export const noScripts: TypeScripts = {
  has: () => false,
  run: async (name) => {
    throw new Error(`there is no script ${name}`)
  },
  retrieve: async (objects) => objects.map(({ object }) => ({ ok: true, value: object })),
  sourceOf: () => undefined,
}

export const typeHooks = [
  ...['onCreate', 'onUpdate', 'onDelete', 'postCreate', 'postUpdate', 'postDelete'],
  ...['onRead', 'onRetrieve', 'onStore', 'onValidate', 'onQueryResult', 'onSync'],
] as const
const propertyHooks = ['onRetrieve', 'onStore', 'onValidate'] as const

/** A script object of a type's configuration: `onCreate`, `actions/<name>` or `properties/<name>/onStore`. */
interface DeclaredScript {
  readonly name: string
  readonly pointer: readonly (string | number)[]
  readonly definition: Json
}

export function declaredScripts(type: ManagedType): readonly DeclaredScript[] {
  const places = placesOf(type)
  const ofHooks = typeHooks.map((hook) => ({ name: hook, pointer: [hook], definition: type[hook] }))
  const ofProperties = places.flatMap(({ path, pointer, property }) =>
    propertyHooks.map((hook) => ({
      ...{ name: propertyScript(path, hook), pointer: [...pointer, hook], definition: property[hook] },
    })),
  )
  const ofConditions = places.flatMap(({ path, pointer, property: { conditionalPolicies } }) =>
    (conditionalPolicies ?? []).map(({ condition }, index) => ({
      ...{ name: conditionScript(path, index), definition: isJsonObject(condition) ? condition : null },
      pointer: [...pointer, 'conditionalPolicies', index, 'condition'],
    })),
  )
  const ofActions = Object.entries(asObject(type.actions)).map(([name, definition]) => ({
    ...{ name: actionScript(name), pointer: ['actions', name], definition },
  }))
  return [...ofHooks, ...ofProperties, ...ofConditions, ...ofActions].flatMap(({ definition, ...one }) => {
    const isBuiltIn = one.name === 'onSync' && compensates(type)
    return definition === undefined || definition === null || isBuiltIn ? [] : [{ ...one, definition }]
  })
}

type PropertyHook = (typeof propertyHooks)[number]

function propertyScript(path: readonly Step[], hook: PropertyHook): string {
  return `properties/${nameOf(path)}/${hook}`
}

/** A property that has a script of a hook. */
export interface ScriptedPlace {
  readonly path: readonly Step[]
  readonly script: string
}

export function scriptedPlaces(
  places: readonly Place[],
  scripts: Pick<TypeScripts, 'has'>,
  hook: PropertyHook,
): readonly ScriptedPlace[] {
  return places
    .map(({ path }) => ({ path, script: propertyScript(path, hook) }))
    .filter(({ script }) => scripts.has(script))
}

export function conditionScript(path: readonly Step[], index: number): string {
  return `properties/${nameOf(path)}/conditionalPolicies/${index}`
}

export function actionScript(action: string): string {
  return `actions/${action}`
}

/** The compensation script that OpenIDM ships (engine §8.4); Syncline does it itself. */
export function compensates({ onSync }: ManagedType): boolean {
  const { source, file } = asObject(onSync)
  return source === undefined && typeof file === 'string' && /(?:^|\/)compensate\.js$/.test(file)
}

/** A managed type with its scripts read and checked. */
export interface UsableType {
  readonly type: ManagedType
  /** By the names of `declaredScripts`. */
  readonly scripts: Readonly<Record<string, ScriptSource>>
}

/** Reads and checks the scripts of a type; the places of findings are in the type. */
export async function readTypeScripts(
  type: ManagedType,
  { engine, readFile }: Pick<CompileTools, 'engine' | 'readFile'>,
): Promise<{ readonly scripts: UsableType['scripts']; readonly findings: readonly Finding[] }> {
  const scripts: Record<string, ScriptSource> = {}
  const findings: Finding[] = []
  const about = `managed object ${type.name}`
  for (const { name, pointer, definition } of declaredScripts(type)) {
    const label = `${about}, ${name.replaceAll('/', '.')}`
    const read = await checkedScript(definition, { label, about, engine, readFile })
    if (read.ok) scripts[name] = read.value
    else findings.push(...below(pointer, [read.finding]))
  }
  return { scripts, findings }
}

/** Loaded into the sandbox when the first one runs. */
export function loadedScripts(
  { type, scripts }: UsableType,
  engine: ScriptEngine,
): TypeScripts & AsyncDisposable {
  const loaded = engine.load(program, { settings: readingScripts(type, scripts), scripts })
  return {
    has: (name) => Object.hasOwn(scripts, name),
    run: together((calls, request) => loaded.run('runScript', calls, { request })),
    retrieve: (objects, request) => loaded.run('retrieve', objects, { request }),
    sourceOf: (name) => (Object.hasOwn(scripts, name) ? scripts[name]?.source : undefined),
    [Symbol.asyncDispose]: () => loaded[Symbol.asyncDispose](),
  }
}

interface ScriptCall {
  readonly script: string
  readonly variables: JsonObject
}

/** Calls of one request that are made at the same time cross into the sandbox together: those of a page of writes. */
function together(
  runAll: (
    calls: readonly ScriptCall[],
    request: RequestContext,
  ) => Promise<readonly ScriptOutcome<ScriptResult>[]>,
): TypeScripts['run'] {
  const waiting = new Map<RequestContext, (ScriptCall & PromiseWithResolvers<ScriptResult>)[]>()
  const run = async (request: RequestContext) => {
    const calls = waiting.get(request) ?? []
    waiting.delete(request)
    try {
      const outcomes = await runAll(calls, request)
      for (const [place, { resolve, reject }] of calls.entries()) {
        const outcome = outcomes[place]
        if (outcome?.ok) resolve(outcome.value)
        else reject(outcome?.error ?? new Problem('INTERNAL', 'a script was not run'))
      }
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }
  return (script, variables, request) => {
    const call = { script, variables, ...Promise.withResolvers<ScriptResult>() }
    const others = waiting.get(request)
    if (others) others.push(call)
    else {
      waiting.set(request, [call])
      setImmediate(() => void run(request))
    }
    return call.promise
  }
}

function readingScripts(type: ManagedType, scripts: UsableType['scripts']): ReadingScripts {
  const has = (name: string) => Object.hasOwn(scripts, name)
  const properties = scriptedPlaces(placesOf(type), { has }, 'onRetrieve').map(({ path, script }) => ({
    ...{ path: path.map((step) => (step === eachElement ? null : step)), script },
  }))
  return { onRetrieve: has('onRetrieve'), onRead: has('onRead'), properties }
}
