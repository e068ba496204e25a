import { type CompileTools, feature } from '../../feature/feature.ts'
import { type Finding, inDocument, type Place } from '../../model/finding.ts'
import { asObject, type JsonObject } from '../../model/json.ts'
import { asProblem } from '../../model/problem.ts'
import type { ScriptSource } from '../../scripts/engine.ts'
import { policyProblem } from '../type/unsupported.ts'
import { type OwnPolicies, type OwnPolicy, policiesIn } from './project-policies.ts'
import { list, type PolicyResource, resourcesOf } from './resources-with-policies.ts'

/** What `conf/policy.json` adds to the built-in policies. */
export interface ConfiguredPolicies {
  readonly policies: OwnPolicies['known']
  readonly resources: readonly PolicyResource[]
}

const noPolicies: ConfiguredPolicies = { policies: new Map(), resources: [] }

/** Its files are run once, to hear which policies they declare. */
export const policyFeature = feature({
  name: 'policy',
  documents: /^policy$/,
  async compile([document], { engine, readFile }: CompileTools) {
    if (!document?.content) return { value: noPolicies, findings: [] }
    const findings: Finding[] = []
    const policies = new Map<string, OwnPolicy>()
    for (const { place, script } of policyFiles(document.content, readFile, findings)) {
      try {
        for (const policy of await policiesIn(script, engine)) policies.set(policy.policyId, policy)
      } catch (error) {
        findings.push({ place, message: asProblem(error).message })
      }
    }
    const resources = resourcesOf(document.content)
    const broken = findings.some(({ severity }) => severity !== 'warning')
    // What a file that does not run would have declared is unknown.
    if (!broken) findings.push(...unknownPolicies(resources, policies))
    const value: ConfiguredPolicies = { policies, resources }
    const entries = [...policies].map(([id, policy]) => [`policy/${id}`, policy] as const)
    return { value, findings: inDocument(document, findings), entries: Object.fromEntries(entries) }
  },
})

interface PolicyFile {
  readonly place: Place
  readonly script: ScriptSource
}

function policyFiles(
  { file, additionalFiles, globals }: JsonObject,
  readFile: CompileTools['readFile'],
  findings: Finding[],
): readonly PolicyFile[] {
  const additional = list(additionalFiles).map((name, index) => ({ place: ['additionalFiles', index], name }))
  const named = [
    { place: ['file'], name: file, shipped: true },
    ...additional.map((one) => ({ ...one, shipped: false })),
  ]
  const files = named.flatMap(({ place, name, shipped }): PolicyFile[] => {
    if (typeof name !== 'string') return []
    const path = [name, `script/${name}`].find((one) => readFile(one) !== undefined)
    const source = path === undefined ? undefined : readFile(path)
    if (source === undefined || path === undefined) {
      // The shipped policy.js is built in.
      if (!shipped || !/(?:^|\/)policy\.js$/.test(name))
        findings.push({ place, message: `the project has no file "${name}"` })
      return []
    }
    if (shipped && !/\baddPolicy\s*\(\s*\{/.test(source)) {
      const message = `${path} is not run: the shipped policies are built in; policies of your own belong in "additionalFiles"`
      findings.push({ severity: 'warning', place, message })
      return []
    }
    return [{ place, script: { label: path, source, file: path, globals: {} } }]
  })
  const texts = list(asObject(globals).additionalPolicies).flatMap((source, index): PolicyFile[] => {
    if (typeof source !== 'string') return []
    const place = ['globals', 'additionalPolicies', index]
    return [{ place, script: { label: `additional policy ${index}`, source, globals: {} } }]
  })
  return [...files, ...texts]
}

function unknownPolicies(
  resources: readonly PolicyResource[],
  ownPolicies: OwnPolicies['known'],
): readonly Finding[] {
  return resources.flatMap(({ properties, resource: path }, resource) => {
    // No object is judged by them, so that policies of the original that are about its own services do no harm.
    if (!path.startsWith('managed/')) return [notEnforced(path, resource)]
    return properties.flatMap(({ name, policies }, property) =>
      policies.flatMap((policy, index) => {
        const topLevel = !/[/[]/.test(name)
        const message = policyProblem(policy, { topLevel, ownPolicies })
        const place = ['resources', resource, 'properties', property, 'policies', index]
        return message === undefined ? [] : [{ place, message }]
      }),
    )
  })
}

function notEnforced(path: string, resource: number): Finding {
  const message = `policies of "${path}" are shown at policy/${path}, and not enforced: only managed objects are validated`
  return { severity: 'warning', place: ['resources', resource, 'resource'], message }
}
