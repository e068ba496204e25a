import { type CompileTools, type Document, feature } from '../feature/feature.ts'
import type { Log } from '../kit/log.ts'
import { below, type DocumentFinding, inDocument, type Place } from '../model/finding.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { splitPath } from '../model/resource-path.ts'
import type { Repository } from '../repository/repository.ts'
import { queryCollection } from '../router/collection.ts'
import type { Resource, ResourceProvider, Resources } from '../router/resources.ts'
import type { ScriptEngine } from '../scripts/engine.ts'
import { type ConfiguredPolicies, policyFeature } from './policies/feature.ts'
import { ownPolicies } from './policies/project-policies.ts'
import { PolicyProvider } from './policies/resource.ts'
import { withPolicies } from './policies/resources-with-policies.ts'
import { brokenPaths } from './relationships/broken-paths.ts'
import { managedObjects } from './resource.ts'
import { plainParts, type TypeParts } from './type/compile.ts'
import type { Cryptography } from './type/encryption.ts'
import { loadedScripts, readTypeScripts, type UsableType } from './type/scripts.ts'
import { withShippedScripts } from './type/shipped-scripts.ts'
import { collectionOf, type ManagedType } from './type/type.ts'
import { unsupportedFeatures } from './type/unsupported.ts'
import type { OnChange } from './write/changes.ts'

export interface ManagedTools extends CompileTools {
  /** Every type of `conf/managed.json` that has a name. */
  readonly declaredManagedObjects: readonly DeclaredType[]
  /** Those without an error that the schema finds. */
  readonly managedObjects: readonly DeclaredType[]
}

export interface DeclaredType {
  readonly name: string
  readonly document: Document
  /** Of its content in the document. */
  readonly pointer: Place
  readonly content: JsonObject
}

export interface ManagedServices {
  readonly repository: Repository
  readonly resources: () => Resources
  readonly secrets: Cryptography
  readonly engine: ScriptEngine
  readonly onChange: OnChange
  readonly log: Log
  property(name: string): Json | undefined
  mappingExists(name: string): boolean
  /** The same, with its changes in the audit. */
  recordingActivity(provider: ResourceProvider, of: 'managed' | 'system'): ResourceProvider
}

export interface ConfiguredTypes {
  readonly types: readonly UsableType[]
  readonly policies: ConfiguredPolicies
}

/** The types of `conf/managed.json`, their objects, schemas and policies. */
export const managedFeature = feature({
  name: 'managed',
  documents: /^managed$/,
  async compile(_documents, tools: ManagedTools) {
    const policies = policyFeature.of(tools)
    const types: UsableType[] = []
    const findings: DocumentFinding[] = []
    for (const declared of tools.declaredManagedObjects) {
      const read = await readType(declared, policies, tools)
      findings.push(...inDocument(declared.document, below(declared.pointer, read.findings)))
      if (read.findings.length === 0 && tools.managedObjects.includes(declared)) types.push(read.usable)
    }
    findings.push(...uncollected(types, tools))
    const value: ConfiguredTypes = { types, policies }
    const entries = types.map(({ type, scripts }) => [`managed/${type.name}`, [type, scripts]] as const)
    return { value, findings, entries: Object.fromEntries(entries) }
  },
  open: openManaged,
})

/** Paths of `queryConfig` that lead nowhere. */
function uncollected(types: readonly UsableType[], { declaredManagedObjects: declared }: ManagedTools) {
  const found = brokenPaths(types.map(({ type }) => type))
  return found.flatMap(({ type, finding }) => {
    const its = declared.find(({ name }) => name === type)
    const message = `managed object ${type}: ${finding.message}`
    return its ? inDocument(its.document, below(its.pointer, [{ ...finding, message }])) : []
  })
}

async function readType({ name, content }: DeclaredType, policies: ConfiguredPolicies, tools: ManagedTools) {
  const hasFile = (path: string) => tools.readFile(path) !== undefined
  // The schema of managed.json has made sure of the rest.
  const type = withShippedScripts({ ...content, name } as ManagedType, hasFile)
  const unsupported = unsupportedFeatures(type, policies.policies).map((finding) => ({
    ...finding,
    message: `managed object ${name}: ${finding.message}`,
  }))
  const { scripts, findings } = await readTypeScripts(type, tools)
  const usable: UsableType = { type: withPolicies(type, policies.resources), scripts }
  return { usable, findings: [...unsupported, ...findings] }
}

async function openManaged({ types: usable, policies }: ConfiguredTypes, services: ManagedServices) {
  await using opened = new AsyncDisposableStack()
  const { repository, secrets: cryptography, engine, mappingExists } = services
  const own = opened.use(ownPolicies(policies.policies, engine))
  const parts = new Map<ManagedType, TypeParts>()
  for (const one of usable) {
    const scripts = opened.use(loadedScripts(one, engine))
    parts.set(one.type, { scripts, cryptography, ownPolicies: own, mappingExists })
  }
  const types = [...parts.keys()]
  const partsOf = (type: ManagedType) => parts.get(type) ?? plainParts
  const enforcePolicies = services.property('openidm.policy.enforcement.enabled') !== false
  const managed = opened.use(await managedObjects({ ...services, types, enforcePolicies, partsOf }))
  const closing = opened.move()
  return {
    mounts: {
      managed: services.recordingActivity(managed, 'managed'),
      policy: new PolicyProvider({
        repository,
        types: managed.types,
        ownPolicies: own,
        resources: policies.resources,
      }),
      schema: schemaProvider(types),
    },
    start: () => managed.start(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** Sets whose changes may be taken back after they are stored: their types have scripts that run then. */
export function setsTakenBack({ types }: ConfiguredTypes): ReadonlySet<string> {
  const hooks = ['postCreate', 'postUpdate', 'postDelete']
  const takenBack = types.filter(({ scripts }) => hooks.some((hook) => Object.hasOwn(scripts, hook)))
  return new Set(takenBack.map(({ type }) => `managed/${type.name}`))
}

/** `schema/managed/{type}` (platform §2): the schemas of managed types, with the policies of their resources. */
function schemaProvider(types: readonly ManagedType[]): ResourceProvider {
  const schemas = types.map((type): Resource => ({ ...type.schema, _id: collectionOf(type) }))
  return {
    async read(path) {
      const [root, name, ...deeper] = splitPath(path)
      const schema = deeper.length > 0 ? undefined : schemas.find(({ _id }) => _id === `${root}/${name}`)
      if (!schema) throw new Problem('NOT_FOUND', `There is no schema/${path}`)
      return schema
    },
    async query(path, query) {
      if (path !== '' && path !== 'managed') throw new Problem('NOT_FOUND', `There is no set schema/${path}`)
      return queryCollection(schemas, query)
    },
  }
}
