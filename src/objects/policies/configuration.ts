import { locateProblem } from '../../config/problem.ts'
import type { ConfigurationDocument, ConfigurationProblem, Project } from '../../config/project.ts'
import { isJsonObject } from '../../model/json.ts'
import { asProblem } from '../../model/problem.ts'
import type { ScriptEngine, ScriptSource } from '../../scripts/engine.ts'
import { policyProblem } from '../type/unsupported.ts'
import { type OwnPolicyScript, policiesIn } from './project-policies.ts'
import { type PolicyResource, resourcesOf } from './resources-with-policies.ts'

/** What `conf/policy.json` adds to the built-in policies. */
export interface ConfiguredPolicies {
  readonly policies: readonly OwnPolicyScript[]
  readonly resources: readonly PolicyResource[]
}

type Place = readonly (string | number)[]

/** Its files read and run once, to hear which policies they declare; what is wrong is found with its place. */
export async function configuredPolicies(
  { documents, readFile }: Project,
  engine: ScriptEngine,
): Promise<ConfiguredPolicies & { readonly problems: readonly ConfigurationProblem[] }> {
  const document = documents.find(({ id }) => id === 'policy')
  if (!document?.content) return { policies: [], resources: [], problems: [] }
  const problems: ConfigurationProblem[] = []
  const policies = new Map<string, OwnPolicyScript>()
  for (const { place, script } of policyFiles(document, readFile, problems)) {
    try {
      for (const policy of await policiesIn(script, engine)) policies.set(policy.policyId, policy)
    } catch (error) {
      problems.push(locateProblem(document, place, asProblem(error).message))
    }
  }
  const resources = resourcesOf(document.content)
  const broken = problems.some(({ severity }) => severity === 'error')
  // What a file that does not run would have declared is unknown.
  if (!broken) problems.push(...unknownPolicies(document, resources, policies))
  return { policies: [...policies.values()], resources, problems }
}

interface PolicyFile {
  readonly place: Place
  readonly script: ScriptSource
}

function policyFiles(
  document: ConfigurationDocument,
  readFile: Project['readFile'],
  problems: ConfigurationProblem[],
): readonly PolicyFile[] {
  const { file, additionalFiles, globals } = document.content ?? {}
  const named = [
    { place: ['file'], name: file, shipped: true },
    ...list(additionalFiles).map((name, index) => ({
      place: ['additionalFiles', index],
      name,
      shipped: false,
    })),
  ]
  const files = named.flatMap(({ place, name, shipped }): PolicyFile[] => {
    if (typeof name !== 'string') return []
    const path = [name, `script/${name}`].find((one) => readFile(one) !== undefined)
    const source = path === undefined ? undefined : readFile(path)
    if (source === undefined || path === undefined) {
      // The shipped policy.js is built in.
      if (!shipped || !/(?:^|\/)policy\.js$/.test(name))
        problems.push(locateProblem(document, place, `the project has no file "${name}"`))
      return []
    }
    if (shipped && !/\baddPolicy\s*\(\s*\{/.test(source)) {
      const message = `${path} is not run: the shipped policies are built in; policies of your own belong in "additionalFiles"`
      problems.push(locateProblem(document, place, message, { severity: 'warning' }))
      return []
    }
    return [{ place, script: { label: path, source, file: path, globals: {} } }]
  })
  const texts = list(isJsonObject(globals) ? globals.additionalPolicies : undefined).flatMap(
    (source, index): PolicyFile[] =>
      typeof source === 'string'
        ? [
            {
              place: ['globals', 'additionalPolicies', index],
              script: { label: `additional policy ${index}`, source, globals: {} },
            },
          ]
        : [],
  )
  return [...files, ...texts]
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function unknownPolicies(
  document: ConfigurationDocument,
  resources: readonly PolicyResource[],
  ownPolicies: ReadonlyMap<string, OwnPolicyScript>,
): ConfigurationProblem[] {
  return resources.flatMap(({ properties, resource: path }, resource) => {
    // Nobody is asked by them, so that policies of the original that are about its own services do no harm.
    if (!path.startsWith('managed/')) return [notEnforced(document, path, resource)]
    return properties.flatMap(({ name, policies }, property) =>
      policies.flatMap((policy, index) => {
        const topLevel = !/[/[]/.test(name)
        const message = policyProblem(policy, { topLevel, ownPolicies })
        const place = ['resources', resource, 'properties', property, 'policies', index]
        return message === undefined ? [] : [locateProblem(document, place, message)]
      }),
    )
  })
}

function notEnforced(document: ConfigurationDocument, path: string, resource: number): ConfigurationProblem {
  const message = `policies of "${path}" are shown at policy/${path}, and not enforced: only managed objects are validated`
  return locateProblem(document, ['resources', resource, 'resource'], message, { severity: 'warning' })
}
