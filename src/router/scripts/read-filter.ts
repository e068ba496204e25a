import type { CompileTools } from '../../feature/feature.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { below, type Finding } from '../../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { checkedScript } from '../../scripts/definition.ts'
import type { ScriptSource } from '../../scripts/engine.ts'
import { type Verb, verbs } from '../filter.ts'
import { type ConfiguredFilter, refusal, type ScriptFilter } from './script-filters.ts'

const hooks = ['onRequest', 'onResponse', 'onFailure'] as const

/** The filter with this index in `conf/router.json`; none for a filter of OpenIDM whose work the server does itself. */
export async function readFilter(
  content: JsonObject,
  index: number,
  tools: CompileTools,
): Promise<{ readonly filter: ConfiguredFilter | undefined; readonly findings: readonly Finding[] }> {
  const reading = new Reading(index, tools)
  const own = hooks.filter((hook) => content[hook] && !reading.isBuiltIn(content[hook], hook))
  const filter = own.length > 0 ? await reading.filter(content, own) : undefined
  return { filter, findings: reading.findings }
}

/** The schema check reports it. */
const broken = Symbol('cannot be used')

class Reading {
  readonly findings: Finding[] = []
  readonly #index: number
  readonly #tools: CompileTools
  #isBroken = false

  constructor(index: number, tools: CompileTools) {
    this.#index = index
    this.#tools = tools
  }

  async filter(content: JsonObject, own: readonly (typeof hooks)[number][]): Promise<ConfiguredFilter> {
    const scripts: Partial<Record<(typeof hooks)[number], ScriptSource>> = {}
    for (const hook of own) scripts[hook] = await this.#script(content[hook], hook)
    const condition = await this.#condition(content.condition)
    const pattern = patternIn(content.pattern)
    const methods = methodsIn(content.methods)
    const { onRequest, onResponse, onFailure } = scripts
    if (!this.#isBroken && condition !== broken && pattern !== broken)
      return { pattern, methods, condition, onRequest, onResponse, onFailure }
    return refusal(
      `conf/router.json: filter ${this.#index}`,
      pattern === broken ? undefined : pattern,
      methods,
    )
  }

  async #condition(condition: Json | undefined): Promise<ScriptFilter['condition'] | typeof broken> {
    if (condition === undefined || condition === null) return undefined
    if (typeof condition !== 'string') return this.#script(condition, 'condition')
    try {
      parseFilter(condition)
      return condition
    } catch {
      return broken
    }
  }

  async #script(definition: Json | undefined, member: string): Promise<ScriptSource | undefined> {
    const label = `router filter ${this.#index}, ${member}`
    const { engine, readFile } = this.#tools
    const read = await checkedScript(definition, { label, engine, readFile })
    if (read.ok) return read.value
    this.#isBroken = true
    this.findings.push(...below(['filters', this.#index, member], [read.finding]))
    return undefined
  }

  isBuiltIn(definition: Json | undefined, hook: string): boolean {
    const { file, name, source } = isJsonObject(definition) ? definition : {}
    const text = [file, name, source].filter((one) => typeof one === 'string').join('\n')
    const found = builtIn.find((one) => new RegExp(`\\b${one}\\b`).test(text))
    if (found === undefined) return false
    const { readFile } = this.#tools
    const copy = [`${found}.js`, `script/${found}.js`].find((path) => readFile(path) !== undefined)
    if (copy !== undefined) {
      const message = `${copy} is not run: what ${found}.js does is built in; see docs/access.md`
      this.findings.push({ severity: 'warning', place: ['filters', this.#index, hook], message })
    }
    return true
  }
}

/** Scripts of OpenIDM for work that this server does itself: authorization, policies, relationships, patches. */
const builtIn = ['router-authz', 'policyFilter', 'relationshipFilter', 'managedPatchHelper']

function patternIn(pattern: Json | undefined): string | undefined | typeof broken {
  if (typeof pattern !== 'string' || pattern === '') return undefined
  try {
    return new RegExp(pattern).source
  } catch {
    return broken
  }
}

function methodsIn(configured: Json | undefined): readonly Verb[] | undefined {
  const found = Array.isArray(configured) ? verbs.filter((verb) => configured.includes(verb)) : []
  return found.length > 0 ? found : undefined
}
