import { patternOf } from '../../kit/pattern.ts'
import { compileFilter } from '../../model/filter/evaluate.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { isTrueLike } from '../../model/true-like.ts'
import { contextVariable } from '../../scripts/context-variable.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import { refusalOf } from '../../scripts/host-functions.ts'
import { type RoutedRequest, type RouterFilter, type Verb, verbs } from '../filter.ts'
import type { ResourcePage } from '../resources.ts'
import { mayConcern } from './concerned.ts'
import { program as filterProgram } from './program.ts'
import { changedRequest, requestVariable } from './request-variable.ts'

/**
 * The filters of `conf/router.json` (platform §2): scripts before and after requests. The first filter is the
 * outermost: `onRequest` scripts run in the order of the file, `onResponse` and `onFailure` scripts in reverse order.
 */
export interface ScriptFilter {
  /** Found anywhere in the path; undefined: every path. */
  readonly pattern: string | undefined
  /** Undefined: all. */
  readonly methods: readonly Verb[] | undefined
  /** A query filter over `{request, context}`, or a script. */
  readonly condition: string | ScriptSource | undefined
  readonly onRequest: ScriptSource | undefined
  readonly onResponse: ScriptSource | undefined
  readonly onFailure: ScriptSource | undefined
}

/** In the place of a filter that cannot run. */
export interface Refusal {
  readonly pattern: string
  readonly methods: readonly Verb[] | undefined
  readonly refuses: string
}

export type ConfiguredFilter = ScriptFilter | Refusal

/**
 * What a filter that cannot run was to look at is refused: it may be what keeps a caller out. The configuration can be reached, so
 * that it can be repaired.
 */
export function refusal(what: string, pattern?: string, methods?: readonly Verb[]): Refusal {
  const concerned = pattern === undefined ? '' : `(?=[^]*?(?:${pattern}))`
  return {
    pattern: `^(?!config(?:/|$)|info/)${concerned}`,
    methods,
    refuses: `${what} has errors, and what it concerns is refused until it is repaired`,
  }
}

const hooks = ['condition', 'onRequest', 'onResponse', 'onFailure'] as const

/** Filters for the router. Their scripts are loaded when the first one runs, and unloaded on disposal. */
export function scriptFilters(
  filters: readonly ConfiguredFilter[],
  engine: ScriptEngine,
): AsyncDisposable & { readonly filters: readonly RouterFilter[] } {
  const scripts = Object.fromEntries(
    filters.flatMap((filter, index) =>
      hooks.flatMap((hook) => {
        const script = 'refuses' in filter ? undefined : filter[hook]
        return typeof script === 'object' ? [[`${index}/${hook}`, script] as const] : []
      }),
    ),
  )
  const program = engine.load(filterProgram, { scripts })
  const run: Run = (script, variables, { context }) =>
    program.one('around', { script, variables }, { request: context })
  return {
    filters: filters.map((filter, index) =>
      'refuses' in filter ? refusingFilter(filter) : routerFilter(filter, `${index}`, run),
    ),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

function refusingFilter({ pattern, methods = verbs, refuses }: Refusal): RouterFilter {
  const expression = patternOf(pattern)
  const refusing: RouterFilter = async (request, next) => {
    if (methods.includes(request.verb) && expression.test(request.path))
      throw new Problem('UNAVAILABLE', refuses)
    return next()
  }
  return Object.assign(refusing, {
    concerns: (set: string) => (mayConcern(pattern, set) ? methods : []),
  })
}

type Run = (script: string, variables: JsonObject, request: RoutedRequest) => Promise<Left>

/** The variables after a script ran. */
interface Left {
  readonly value?: Json
  readonly request?: JsonObject
  readonly response?: Json
}

function routerFilter(filter: ScriptFilter, name: string, run: Run): RouterFilter {
  const { methods = verbs, pattern, onRequest, onResponse, onFailure } = filter
  const expression = pattern === undefined ? undefined : patternOf(pattern)
  const holds = conditionOf(filter, name, run)
  const isAsked = (request: RoutedRequest) =>
    methods.includes(request.verb) && (expression?.test(request.path) ?? true)

  async function before(request: RoutedRequest): Promise<RoutedRequest> {
    if (!onRequest) return request
    const variables = { request: requestVariable(request) }
    const { request: left } = await run(`${name}/onRequest`, variables, request)
    return left ? changedRequest(request, left) : request
  }

  async function after<T>(request: RoutedRequest, answer: T): Promise<T> {
    if (!onResponse) return answer
    const variables = { request: requestVariable(request), response: responseVariable(request, answer) }
    const { response } = await run(`${name}/onResponse`, variables, request)
    return changedAnswer(request, answer, response)
  }

  async function failed(request: RoutedRequest, thrown: unknown): Promise<void> {
    if (!onFailure) return
    const exception = refusalOf(asProblem(thrown)) as JsonObject
    await run(`${name}/onFailure`, { request: requestVariable(request), exception }, request)
  }

  const around = async <T>(
    request: RoutedRequest,
    next: (changed?: RoutedRequest) => Promise<T>,
  ): Promise<T> => {
    if (!isAsked(request) || !(await holds(request))) return next()
    const current = await before(request)
    let answer: T
    try {
      answer = await next(current)
    } catch (error) {
      await failed(current, error)
      throw error
    }
    // If this throws, its error replaces the answer. The write itself is not undone.
    return after(current, answer)
  }
  return Object.assign(around, {
    concerns: (set: string) => (mayConcern(pattern, set) ? methods : []),
  })
}

function conditionOf(
  { condition }: ScriptFilter,
  name: string,
  run: Run,
): (request: RoutedRequest) => Promise<boolean> {
  if (condition === undefined) return async () => true
  if (typeof condition === 'string') {
    const matches = compileFilter(parseFilter(condition))
    return async (request) =>
      matches({
        request: requestVariable(request),
        context: contextVariable({ request: request.context }),
      })
  }
  return async (request) => {
    const { value } = await run(`${name}/condition`, { request: requestVariable(request) }, request)
    return isTrueLike(value)
  }
}

function responseVariable(request: RoutedRequest, answer: unknown): Json {
  if (request.verb !== 'query') return (answer ?? null) as Json
  const { result, cookie, total } = answer as ResourcePage
  return { result: [...result], pagedResultsCookie: cookie, totalPagedResults: total ?? -1 }
}

/** The answer keeps the type of its verb: a script may change its content only. */
function changedAnswer<T>(request: RoutedRequest, answer: T, response: Json | undefined): T {
  if (response === undefined) return answer
  if (request.verb === 'action') return response as T
  if (!isJsonObject(response)) throw new Problem('SCRIPT_FAILED', 'onResponse left no object in "response"')
  if (request.verb !== 'query') return response as T
  if (!Array.isArray(response.result))
    throw new Problem('SCRIPT_FAILED', 'onResponse left no list in "response.result"')
  return { ...answer, result: response.result } as T
}
