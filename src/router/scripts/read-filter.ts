import type { CompileTools } from '../../feature/feature.ts'
import { below, type Finding } from '../../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { checkedScript } from '../../scripts/definition.ts'
import type { ScriptSource } from '../../scripts/engine.ts'
import { verbs } from '../filter.ts'
import { type ConfiguredFilter, refusal } from './script-filters.ts'

const hooks = ['onRequest', 'onResponse', 'onFailure'] as const

/**
 * The filter with this index in `conf/router.json`, which the schema has checked; none for a filter of OpenIDM whose work
 * the server does itself.
 */
export async function readFilter(
  { pattern, methods, condition, ...content }: JsonObject,
  index: number,
  { engine, readFile }: CompileTools,
): Promise<{ readonly filter: ConfiguredFilter | undefined; readonly findings: readonly Finding[] }> {
  const errors: Finding[] = []
  const warnings = hooks.flatMap((hook) => copyNotRun(content[hook], ['filters', index, hook], readFile))
  const own = hooks.filter((hook) => content[hook] && builtInOf(content[hook]) === undefined)
  if (own.length === 0) return { filter: undefined, findings: warnings }

  async function script(definition: Json | undefined, member: string): Promise<ScriptSource | undefined> {
    const label = `router filter ${index}, ${member}`
    const read = await checkedScript(definition, { label, engine, readFile })
    if (read.ok) return read.value
    errors.push(...below(['filters', index, member], [read.finding]))
    return undefined
  }
  const scripts: Partial<Record<(typeof hooks)[number], ScriptSource>> = {}
  for (const hook of own) scripts[hook] = await script(content[hook], hook)
  const named = Array.isArray(methods) ? verbs.filter((verb) => methods.includes(verb)) : []
  const asked = {
    pattern: typeof pattern === 'string' && pattern !== '' ? pattern : undefined,
    methods: named.length > 0 ? named : undefined,
  }
  const { onRequest, onResponse, onFailure } = scripts
  const holds = isJsonObject(condition) ? await script(condition, 'condition') : undefined
  const filter =
    errors.length > 0
      ? refusal(`conf/router.json: filter ${index}`, asked.pattern, asked.methods)
      : {
          ...{ ...asked, condition: typeof condition === 'string' ? condition : holds },
          ...{ onRequest, onResponse, onFailure },
        }
  return { filter, findings: [...warnings, ...errors] }
}

/** Scripts of OpenIDM for work that this server does itself: authorization, policies, relationships, patches. */
const builtIn = ['router-authz', 'policyFilter', 'relationshipFilter', 'managedPatchHelper']

export function builtInOf(definition: Json | undefined): string | undefined {
  const { file, name, source } = isJsonObject(definition) ? definition : {}
  const text = [file, name, source].filter((one) => typeof one === 'string').join('\n')
  return builtIn.find((one) => new RegExp(`\\b${one}\\b`).test(text))
}

/** A warning where the project has a script of its own in the place of one that is built in. */
function copyNotRun(
  definition: Json | undefined,
  place: Finding['place'],
  readFile: CompileTools['readFile'],
): readonly Finding[] {
  const found = builtInOf(definition)
  if (found === undefined) return []
  const copy = [`${found}.js`, `script/${found}.js`].find((path) => readFile(path) !== undefined)
  if (copy === undefined) return []
  const message = `${copy} is not run: what ${found}.js does is built in; see docs/access.md`
  return [{ severity: 'warning', place, message }]
}
