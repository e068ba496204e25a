import { type CompileTools, type Document, feature } from '../../feature/feature.ts'
import type { Log } from '../../kit/log.ts'
import { type DocumentFinding, inDocument } from '../../model/finding.ts'
import { isJsonObject } from '../../model/json.ts'
import type { ScriptEngine } from '../../scripts/engine.ts'
import { accessRules } from '../access-rules.ts'
import { authorizeByRules, authorizeExternal } from '../authorization.ts'
import { customAuthorization, expressionScript } from './custom-authorization.ts'
import { readFilter } from './read-filter.ts'
import { type ConfiguredFilter, refusal, scriptFilters } from './script-filters.ts'

/** Filters and rules for every request: `conf/router.json` and `conf/access.json`. */
export const routerFeature = feature({
  name: 'router',
  documents: /^(?:router|access)$/,
  async compile(documents, tools: CompileTools) {
    const [router, access] = ['router', 'access'].map((name) => documents.find(({ id }) => id === name))
    const { filters, findings } = await compiledFilters(router, tools)
    const rules = access && (await compiledRules(access, tools))
    return {
      value: { filters, rules },
      findings: [...findings, ...(rules?.findings ?? [])],
      entries: { router: filters },
    }
  },
  open({ filters, rules }, { engine, log }: { readonly engine: ScriptEngine; readonly log: Log }) {
    const scripted = scriptFilters(filters, engine)
    const custom = customAuthorization(rules?.expressions ?? [], engine, log)
    // Without rules only administrators may do anything.
    const authorization = rules ? authorizeByRules(rules.rules, custom.judge) : authorizeExternal
    return {
      filters: [authorization, ...scripted.filters],
      async [Symbol.asyncDispose]() {
        await scripted[Symbol.asyncDispose]()
        await custom[Symbol.asyncDispose]()
      },
    }
  },
})

async function compiledFilters(document: Document | undefined, tools: CompileTools) {
  const filters: ConfiguredFilter[] = []
  const findings: DocumentFinding[] = []
  if (!document) return { filters, findings }
  // If the file cannot be read, it is unknown which requests its filters would refuse.
  if (!document.content) return { filters: [refusal('conf/router.json')], findings }
  const configured = document.content.filters
  for (const [index, content] of (Array.isArray(configured) ? configured : []).entries()) {
    if (!isJsonObject(content)) continue
    const read = await readFilter(content, index, tools)
    if (read.filter) filters.push(read.filter)
    findings.push(...inDocument(document, read.findings))
  }
  return { filters, findings }
}

async function compiledRules(document: Document, { engine }: CompileTools) {
  // A broken file grants nothing: opening the server would be worse than closing it.
  const rules = accessRules(document.content ?? {})
  // Those that can be loaded; any other grants nothing.
  const expressions: string[] = []
  const findings: DocumentFinding[] = []
  for (const [index, { customAuthz }] of rules.entries()) {
    if (customAuthz === undefined) continue
    const error = await engine.check(expressionScript(customAuthz))
    const place = ['configs', index, 'customAuthz']
    if (!error) expressions.push(customAuthz)
    else findings.push({ document: document.id, place, message: `not an expression: ${error.message}` })
  }
  return { rules, expressions, findings }
}
