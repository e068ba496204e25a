import { parseFilter } from '../model/filter/parse.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import type { ScriptName } from './call.ts'
import { readChangeSettings } from './changes.ts'
import { readGuard } from './guard.ts'
import {
  type Condition,
  type Correlation,
  type CorrelationQuery,
  type ExpressionTree,
  type Hook,
  hooks,
  type LinkUse,
  type Mapping,
  type Policy,
  type PropertyMapping,
  type Qualifiers,
  type ReconciliationSettings,
} from './mapping.ts'
import { isEverything, readQuery } from './query.ts'
import { type Action, actions, isAction, isSituation, type Situation, situations } from './situation.ts'

/**
 * Configuration → compiled mapping (engine §2). Everything is checked here, at load (engine §2.3, [D]); all
 * that is wrong is returned with the pointer where it stands, and nothing is thrown. Script objects are
 * collected under names; turning them into code is the scripts' business.
 */
export interface Compilation {
  /** Undefined if there were errors. */
  readonly mapping: Mapping | undefined
  readonly scripts: Readonly<Record<ScriptName, ScriptObject>>
  readonly errors: readonly CompilationError[]
}

export interface ScriptObject {
  readonly definition: JsonObject
  readonly place: Place
}

/** Keys and indexes from the mapping object down. */
export type Place = readonly (string | number)[]

export interface CompilationError {
  readonly place: Place
  readonly message: string
}

/** A mapping as configured, for looking up the link set that `links` names. */
export interface MappingConfiguration {
  readonly name: string
  readonly content: JsonObject
}

export interface CompilationOptions {
  /** The consent service is on (`conf/consent.json`); without it `consentRequired` means nothing. */
  readonly consentService?: boolean
  /** True if the project has a script file of that name itself. */
  readonly hasFile?: (file: string) => boolean
}

/** Files that OpenIDM ships: a mapping that names one means what happens without it. */
const shipped: Partial<Record<Hook | 'defaultMapping', RegExp>> = {
  defaultMapping: /(?:^|\/)roles\/defaultMapping\.(?:js|groovy)$/,
  onMapping: /(?:^|\/)roles\/defaultMapping\.(?:js|groovy)$/,
  postMapping: /(?:^|\/)roles\/defaultPostMapping\.(?:js|groovy)$/,
  onRecon: /(?:^|\/)roles\/onRecon\.(?:js|groovy)$/,
}

const pageSize = 500
/** Ids are small. */
const targetPageSize = 5000

export function compileMapping(
  configuration: JsonObject,
  all: readonly MappingConfiguration[],
  { consentService = false, hasFile = () => false }: CompilationOptions = {},
): Compilation {
  const reading = new Reading(configuration, hasFile)
  const mapping = reading.mapping(all, consentService)
  return {
    mapping: reading.errors.length === 0 ? mapping : undefined,
    scripts: reading.scripts,
    errors: reading.errors,
  }
}

/** One pass over one mapping: collects scripts and errors while the parts are built. */
class Reading {
  readonly scripts: Record<ScriptName, ScriptObject> = {}
  readonly errors: CompilationError[] = []
  readonly #configuration: JsonObject
  readonly #hasFile: (file: string) => boolean

  constructor(configuration: JsonObject, hasFile: (file: string) => boolean) {
    this.#configuration = configuration
    this.#hasFile = hasFile
  }

  error(place: Place, message: string): undefined {
    this.errors.push({ place, message })
  }

  mapping(all: readonly MappingConfiguration[], consentService: boolean): Mapping {
    const configuration = this.#configuration
    const name = this.#text('name')
    const [source, target] = [this.#text('source'), this.#text('target')]
    const properties = this.#list('properties', (entry, place) => this.#property(entry, place))
    return {
      name,
      source,
      target,
      links: this.#links(name, source, target, all),
      qualifiers: this.#qualifiers(),
      consentRequired:
        consentService && source.startsWith('managed/') && configuration.consentRequired === true,
      validSource: this.#script(['validSource'], configuration.validSource),
      validTarget: this.#script(['validTarget'], configuration.validTarget),
      sourceCondition: this.#condition(['sourceCondition'], configuration.sourceCondition),
      correlation: this.#correlation(),
      correlateEmptyTargetSet: configuration.correlateEmptyTargetSet === true,
      properties,
      policies: this.#list('policies', (entry, place) => this.#policy(entry, place)),
      hooks: this.#hooks(),
      reconciliation: this.#reconciliation(source, target, properties),
      changes: readChangeSettings(configuration, (place, value) => this.#script(place, value)),
      configuration,
    }
  }

  #text(property: string): string {
    const value = this.#configuration[property]
    if (typeof value === 'string' && value !== '') return value
    this.error([property], `${property} must be a non-empty string`)
    return ''
  }

  #list<T>(property: string, read: (entry: JsonObject, place: Place) => T | undefined): T[] {
    const value = this.#configuration[property] ?? []
    if (!Array.isArray(value)) {
      this.error([property], `${property} must be an array`)
      return []
    }
    return value.flatMap((entry, index) => {
      const place = [property, index]
      if (!isJsonObject(entry)) return this.error(place, `each entry of ${property} must be an object`) ?? []
      return read(entry, place) ?? []
    })
  }

  /** Registers the script object at a place and answers its name; undefined if there is none. */
  #script(place: Place, value: Json | undefined): ScriptName | undefined {
    if (value === undefined || value === null) return undefined
    if (!isJsonObject(value))
      return this.error(
        place,
        `${place.at(-1)} must be a script object like {"type": "text/javascript", "source": "…"}`,
      )
    const name = place.join('/')
    this.scripts[name] = { definition: value, place }
    return name
  }

  #condition(place: Place, value: Json | undefined): Condition | undefined {
    if (value === undefined || value === null) return undefined
    if (typeof value !== 'string') {
      const script = this.#script(place, value)
      return script === undefined ? undefined : { kind: 'script', script }
    }
    const filter = this.#attempt(place, () => parseFilter(value))
    return filter && { kind: 'filter', filter }
  }

  #attempt<T>(place: Place, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      return this.error(place, (error as Error).message)
    }
  }

  #property(entry: JsonObject, place: Place): PropertyMapping | undefined {
    const target = this.#pointer(entry.target, [...place, 'target'])
    if (!target) return undefined
    if (target.length === 0)
      return this.error([...place, 'target'], 'cannot replace root object: name a property')
    return {
      target,
      source: entry.source === undefined ? undefined : this.#pointer(entry.source, [...place, 'source']),
      condition: this.#condition([...place, 'condition'], entry.condition),
      transform: this.#script([...place, 'transform'], entry.transform),
      default: entry.default,
    }
  }

  #pointer(value: Json | undefined, place: Place): Pointer | undefined {
    if (typeof value !== 'string')
      return this.error(place, `${place.at(-1)} must be a pointer such as "name/givenName"`)
    return this.#attempt(place, () => parsePointer(value))
  }

  #policy(entry: JsonObject, place: Place): Policy | undefined {
    const situation = this.#situation(entry.situation, [...place, 'situation'])
    const action = this.#action(entry.action, [...place, 'action'])
    const condition = this.#condition([...place, 'condition'], entry.condition)
    const postAction = this.#script([...place, 'postAction'], entry.postAction)
    return situation && action && { situation, action, condition, postAction }
  }

  #situation(value: Json | undefined, place: Place): Situation | undefined {
    const name = typeof value === 'string' ? value.toUpperCase() : value
    if (isSituation(name)) return name
    return this.error(
      place,
      `${JSON.stringify(value ?? null)} is not a situation; allowed: ${situations.join(', ')}`,
    )
  }

  #action(value: Json | undefined, place: Place): Policy['action'] | undefined {
    if (isJsonObject(value)) {
      const script = this.#script(place, value)
      return script === undefined ? undefined : { kind: 'script', script }
    }
    const name = typeof value === 'string' ? value.toUpperCase() : value
    if (isAction(name)) return { kind: 'action', action: name satisfies Action }
    return this.error(
      place,
      `${JSON.stringify(value ?? null)} is not an action; allowed: ${actions.join(', ')}, or a script`,
    )
  }

  #hooks(): Mapping['hooks'] {
    const scripts: Partial<Record<Hook, ScriptName>> = {}
    for (const hook of hooks) {
      const script = this.#hook(hook)
      if (script !== undefined) scripts[hook] = script
    }
    // Two names for one hook: the newer one wins (engine §2.2, [D]).
    const older = scripts.onMapping === undefined ? this.#hook('defaultMapping') : undefined
    return older === undefined ? scripts : { ...scripts, onMapping: older }
  }

  #hook(name: Hook | 'defaultMapping'): ScriptName | undefined {
    const value = this.#configuration[name]
    const file = isJsonObject(value) && value.source === undefined ? value.file : undefined
    if (typeof file === 'string' && shipped[name]?.test(file) && !this.#hasFile(file)) return undefined
    return this.#script([name], value)
  }

  #qualifiers(): Qualifiers {
    const value = this.#configuration.linkQualifiers
    if (value === undefined || value === null) return { kind: 'fixed', names: ['default'] }
    if (isJsonObject(value)) return { kind: 'script', script: this.#script(['linkQualifiers'], value) ?? '' }
    if (!Array.isArray(value)) {
      this.error(['linkQualifiers'], 'linkQualifiers must be an array of names or a script object')
      return { kind: 'fixed', names: [] }
    }
    const names = value.map((name, index) => this.#qualifier(name, value.indexOf(name) < index, index))
    return { kind: 'fixed', names: names.length === 0 ? ['default'] : names }
  }

  #qualifier(name: Json, repeated: boolean, index: number): string {
    if (typeof name !== 'string' || name === '')
      this.error(['linkQualifiers', index], 'a link qualifier must be a non-empty string')
    if (repeated)
      this.error(['linkQualifiers', index], `link qualifier ${JSON.stringify(name)} is listed twice`)
    return String(name)
  }

  #correlation(): Correlation {
    const { correlationQuery, correlationScript } = this.#configuration
    if (correlationQuery && correlationScript) {
      this.error(
        ['correlationScript'],
        'a mapping has either correlationQuery or correlationScript, not both',
      )
    }
    if (correlationScript) return this.#correlationScript(correlationScript)
    if (!correlationQuery) return { kind: 'none' }
    const entries = Array.isArray(correlationQuery) ? correlationQuery : [correlationQuery]
    const byQualifier: Record<string, CorrelationQuery> = {}
    entries.forEach((entry, index) => {
      const place = Array.isArray(correlationQuery) ? ['correlationQuery', index] : ['correlationQuery']
      this.#correlationQuery(entry, place, byQualifier)
    })
    return { kind: 'queries', byQualifier }
  }

  #correlationScript(value: Json): Correlation {
    // OpenIDM's own console writes expression trees under either key.
    if (isJsonObject(value) && value.expressionTree !== undefined) {
      const tree = this.#tree(value.expressionTree, ['correlationScript', 'expressionTree'])
      const names = this.#configuration.linkQualifiers
      const qualifiers = Array.isArray(names) ? names.map(String) : ['default']
      return {
        kind: 'queries',
        byQualifier: Object.fromEntries(
          qualifiers.map((name) => [name, { kind: 'tree', tree } as CorrelationQuery]),
        ),
      }
    }
    return { kind: 'script', script: this.#script(['correlationScript'], value) ?? '' }
  }

  #correlationQuery(entry: Json, place: Place, byQualifier: Record<string, CorrelationQuery>): undefined {
    if (!isJsonObject(entry)) return this.error(place, 'a correlation query must be a script object')
    const qualifier = entry.linkQualifier ?? 'default'
    if (typeof qualifier !== 'string')
      return this.error([...place, 'linkQualifier'], 'linkQualifier must be a string')
    if (Object.hasOwn(byQualifier, qualifier)) {
      return this.error(place, `link qualifier ${qualifier} has a correlation query already`)
    }
    if (entry.expressionTree !== undefined) {
      byQualifier[qualifier] = {
        kind: 'tree',
        tree: this.#tree(entry.expressionTree, [...place, 'expressionTree']),
      }
      return
    }
    const script = this.#script(place, entry)
    if (script !== undefined) byQualifier[qualifier] = { kind: 'script', script }
    return undefined
  }

  #tree(value: Json | undefined, place: Place): ExpressionTree {
    const none: ExpressionTree = { operator: 'any', operands: [] }
    const entries = isJsonObject(value) ? Object.entries(value) : []
    const [operator, operands] = entries[0] ?? []
    if (entries.length !== 1 || (operator !== 'any' && operator !== 'all') || !Array.isArray(operands)) {
      return this.error(place, 'an expression tree is {"any": […]} or {"all": […]}') ?? none
    }
    return {
      operator,
      operands: operands.map((operand, index) => {
        const inner = [...place, operator, index]
        return typeof operand === 'string' ? this.#treeName(operand, inner) : this.#tree(operand, inner)
      }),
    }
  }

  #treeName(name: string, place: Place): string {
    const properties = Array.isArray(this.#configuration.properties) ? this.#configuration.properties : []
    const plain = (text: string) => text.replace(/^\/|\/$/g, '')
    const targets = properties.flatMap((entry) =>
      isJsonObject(entry) && typeof entry.target === 'string' ? [plain(entry.target)] : [],
    )
    if (!targets.includes(plain(name))) {
      this.error(place, `the expression tree names ${name}, which no entry of properties has as target`)
    }
    return name
  }

  /** engine §5.2: the set belongs to the mapping that `links` names; its settings govern case. */
  #links(name: string, source: string, target: string, all: readonly MappingConfiguration[]): LinkUse {
    const own = this.#configuration
    const named = own.links
    const enabled = own.enableLinking !== false
    const ignoresCase = (mapping: JsonObject) => ({
      sourceIgnoresCase: mapping.sourceIdsCaseSensitive === false,
      targetIgnoresCase: mapping.targetIdsCaseSensitive === false,
    })
    if (named === undefined || named === null || named === name) {
      return { enabled, type: name, reversed: false, ...ignoresCase(own) }
    }
    const definer = all.find((mapping) => mapping.name === named)?.content
    const unusable = { enabled, type: String(named), reversed: false, ...ignoresCase(own) }
    if (!definer || (definer.links ?? named) !== named) {
      return (
        this.error(
          ['links'],
          `links names ${JSON.stringify(named)}, but no mapping of that name defines its own link set`,
        ) ?? unusable
      )
    }
    const { sourceIgnoresCase, targetIgnoresCase } = ignoresCase(definer)
    if (definer.source === source && definer.target === target) {
      return { enabled, type: String(named), reversed: false, sourceIgnoresCase, targetIgnoresCase }
    }
    if (definer.source !== target || definer.target !== source) {
      this.error(
        ['links'],
        `links reuses ${named}, whose object sets (${definer.source} → ${definer.target}) are neither this mapping's nor their reverse`,
      )
    }
    return {
      enabled,
      type: String(named),
      reversed: true,
      sourceIgnoresCase: targetIgnoresCase,
      targetIgnoresCase: sourceIgnoresCase,
    }
  }

  #reconciliation(
    source: string,
    target: string,
    properties: readonly PropertyMapping[],
  ): ReconciliationSettings {
    const own = this.#configuration
    const query = (property: string, resource: string) => {
      const stated = own[property]
      if (stated !== undefined && !isJsonObject(stated))
        this.error([property], `${property} must be a query object`)
      return (
        this.#attempt([property], () => readQuery(isJsonObject(stated) ? stated : undefined, resource)) ??
        readQuery(undefined, resource)
      )
    }
    const stored = isJsonObject(own.reconAssociation) ? own.reconAssociation : {}
    const { sourceQueryFullEntry, targetQueryFullEntry, runTargetPhase, taskThreads } = own
    return {
      sourceQuery: query('sourceQuery', source),
      targetQuery: query('targetQuery', target),
      sourceQueryFullEntry: this.#flag('sourceQueryFullEntry', sourceQueryFullEntry),
      targetQueryFullEntry: this.#flag('targetQueryFullEntry', targetQueryFullEntry),
      sourceFields: this.#fields('defaultSourceFields'),
      targetFields: this.#targetFields(properties),
      runTargetPhase: this.#flag('runTargetPhase', runTargetPhase),
      allowEmptySourceSet: this.#flag('allowEmptySourceSet', own.allowEmptySourceSet) ?? false,
      guard: this.#attempt(['guard'], () => readGuard(own.guard)) ?? readGuard(undefined),
      taskThreads: typeof taskThreads === 'number' ? taskThreads : 10,
      pageSize,
      sourcePageSize: this.#pageSize('reconSourceQuery', pageSize),
      targetPageSize: this.#pageSize('reconTargetQuery', targetPageSize),
      cleanUpLinks: this.#flag('cleanUpLinks', own.cleanUpLinks) ?? false,
      storedRuns: {
        analysis: numberOr(stored.maxAnalysisRunsPerMapping, 1),
        others: numberOr(stored.maxNonAnalysisRunsPerMapping, 1),
      },
    }
  }

  /** Undefined: everything. */
  #fields(property: string): readonly Pointer[] | undefined {
    const stated = this.#configuration[property] ?? []
    if (!Array.isArray(stated)) return this.error([property], `${property} must be an array of pointers`)
    const fields = stated.map((field, index) => this.#pointer(field, [property, index]) ?? [])
    return isEverything(fields) ? undefined : fields
  }

  /** What properties write is always read as well: without the value that is there, every run would write it anew. */
  #targetFields(properties: readonly PropertyMapping[]): readonly Pointer[] | undefined {
    const stated = this.#fields('defaultTargetFields')
    return stated && [...stated, ...properties.map(({ target }) => target)]
  }

  /** The size of `…PageSize` where `…Paging` asks for pages; we always read in pages, of our own size otherwise. */
  #pageSize(query: 'reconSourceQuery' | 'reconTargetQuery', standard: number): number {
    const { [`${query}Paging`]: paging, [`${query}PageSize`]: size } = this.#configuration
    if (paging !== true) return standard
    return numberOr(size, query === 'reconSourceQuery' ? 1000 : standard)
  }

  #flag(property: string, value: Json | undefined): boolean | undefined {
    if (value === undefined || value === null || typeof value === 'boolean') return value ?? undefined
    return this.error([property], `${property} must be true or false, not ${JSON.stringify(value)}`)
  }
}

function numberOr(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
