import { locateProblem } from '../../config/problem.ts'
import type { ConfigurationDocument, ConfigurationProblem, Project } from '../../config/project.ts'
import { methods } from '../../config/schemas/router.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { scriptSource } from '../../scripts/definition.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import { type AccessRule, accessRules } from '../access-rules.ts'
import type { Verb } from '../filter.ts'
import { scriptOf } from './custom-authorization.ts'
import type { ScriptFilter } from './script-filters.ts'

/** What stands around every request: `conf/router.json` and `conf/access.json`. */
export interface ConfiguredRouter {
  readonly filters: readonly ScriptFilter[]
  /** Undefined: there are no rules, and only administrators may do anything. */
  readonly access: readonly AccessRule[] | undefined
}

type Place = readonly (string | number)[]
type Found = ConfiguredRouter & { readonly problems: readonly ConfigurationProblem[] }

export async function configuredRouter(
  { documents, readFile }: Project,
  engine: ScriptEngine,
): Promise<Found> {
  const problems: ConfigurationProblem[] = []
  const document = documents.find(({ id }) => id === 'router')
  const stated = document?.content?.filters
  // Of a file that cannot be read nobody knows whom its filters keep out.
  const filters: ScriptFilter[] =
    document && !document.content ? [refusing(undefined, undefined, 'conf/router.json')] : []
  for (const [index, filter] of (Array.isArray(stated) ? stated : []).entries()) {
    if (!document || !isJsonObject(filter)) continue
    const read = await filterIn(filter, { document, place: ['filters', index], readFile, engine, problems })
    if (read) filters.push(read)
  }
  return { filters, access: await accessIn(documents, engine, problems), problems }
}

interface Reading {
  readonly document: ConfigurationDocument
  readonly place: Place
  readonly readFile: Project['readFile']
  readonly engine: ScriptEngine
  readonly problems: ConfigurationProblem[]
}

/** Undefined for a filter of the original that the server does itself. */
async function filterIn(filter: JsonObject, reading: Reading): Promise<ScriptFilter | undefined> {
  const hooks = ['onRequest', 'onResponse', 'onFailure'] as const
  const own = hooks.filter((hook) => filter[hook] && !isBuiltIn(filter[hook], hook, reading))
  if (own.length === 0) return undefined
  const scripts: Partial<Record<(typeof hooks)[number], ScriptSource>> = {}
  const before = reading.problems.length
  for (const hook of own) scripts[hook] = await scriptIn(filter[hook], hook, reading)
  const condition = await conditionIn(filter.condition, reading)
  const pattern = patternIn(filter.pattern)
  const methods = methodsIn(filter.methods)
  if (reading.problems.length > before || condition === broken || pattern === broken)
    return refusing(pattern, methods, `conf/router.json: filter ${reading.place.at(-1)}`)
  return {
    pattern,
    methods,
    condition,
    onRequest: scripts.onRequest,
    onResponse: scripts.onResponse,
    onFailure: scripts.onFailure,
  }
}

/** Told of by the check of the schema. */
const broken = Symbol('cannot be used')

async function conditionIn(
  condition: Json | undefined,
  reading: Reading,
): Promise<ScriptFilter['condition'] | typeof broken> {
  if (condition === undefined || condition === null) return undefined
  if (typeof condition !== 'string') return scriptIn(condition, 'condition', reading)
  try {
    parseFilter(condition)
    return condition
  } catch {
    return broken
  }
}

function patternIn(pattern: Json | undefined): string | undefined | typeof broken {
  if (typeof pattern !== 'string' || pattern === '') return undefined
  try {
    return new RegExp(pattern).source
  } catch {
    return broken
  }
}

function methodsIn(stated: Json | undefined): readonly Verb[] | undefined {
  const found = Array.isArray(stated) ? methods.filter((method) => stated.includes(method)) : []
  return found.length > 0 ? (found as Verb[]) : undefined
}

/**
 * In the place of a filter that cannot run. What it was to look at is refused: it may be what keeps somebody out. The
 * configuration can be reached, so that it can be repaired.
 */
function refusing(
  pattern: string | undefined | typeof broken,
  methods: ScriptFilter['methods'],
  what: string,
): ScriptFilter {
  const concerned = typeof pattern === 'string' ? `(?=[^]*?(?:${pattern}))` : ''
  const message = `${what} has errors, and what it concerns is refused until it is repaired`
  const source = `throw { code: 503, message: ${JSON.stringify(message)} }`
  return {
    pattern: `^(?!config(?:/|$)|info/)${concerned}`,
    methods,
    condition: undefined,
    onRequest: { label: what, source, globals: {} },
    onResponse: undefined,
    onFailure: undefined,
  }
}

async function scriptIn(
  definition: Json | undefined,
  member: string,
  { document, place, readFile, engine, problems }: Reading,
): Promise<ScriptSource | undefined> {
  const label = `router filter ${place.at(-1)}, ${member}`
  const read = scriptSource(definition, { label, readFile })
  if (!read.ok) {
    problems.push(locateProblem(document, [...place, member, ...read.pointer], `${label}: ${read.message}`))
    return undefined
  }
  const error = await engine.check(read.script)
  if (error) problems.push(locateProblem(document, [...place, member], error.message))
  return error ? undefined : read.script
}

/** Scripts of the original that say what this server does by itself: authorization, policies, relationships, patches. */
const builtIn = ['router-authz', 'policyFilter', 'relationshipFilter', 'managedPatchHelper']

function isBuiltIn(
  definition: Json | undefined,
  hook: string,
  { document, place, readFile, problems }: Reading,
): boolean {
  const { file, name, source } = isJsonObject(definition) ? definition : {}
  const text = [file, name, source].filter((one) => typeof one === 'string').join('\n')
  const found = builtIn.find((one) => new RegExp(`\\b${one}\\b`).test(text))
  if (found === undefined) return false
  const copy = [`${found}.js`, `script/${found}.js`].find((path) => readFile(path) !== undefined)
  if (copy !== undefined) {
    const message = `${copy} is not run: what ${found}.js does is built in; see docs/access.md`
    problems.push(locateProblem(document, [...place, hook], message, { severity: 'warning' }))
  }
  return true
}

async function accessIn(
  documents: Project['documents'],
  engine: ScriptEngine,
  problems: ConfigurationProblem[],
): Promise<readonly AccessRule[] | undefined> {
  const document = documents.find(({ id }) => id === 'access')
  if (!document) return undefined
  // A broken file grants nothing: opening the server would be worse than closing it.
  const rules = accessRules(document.content ?? {})
  for (const [index, { customAuthz }] of rules.entries()) {
    if (customAuthz === undefined) continue
    const error = await engine.check(scriptOf(customAuthz))
    if (error)
      problems.push(
        locateProblem(document, ['configs', index, 'customAuthz'], `not an expression: ${error.message}`),
      )
  }
  return rules
}
