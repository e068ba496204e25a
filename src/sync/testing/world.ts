/** A small world for tests: two object sets in a real SQLite repository, real scripts, the real router. */
import { join } from 'node:path'
import { auditEvents } from '../../audit/resource.ts'
import { fileSecrets } from '../../config/secrets.ts'
import { type CompilationOptions, compileMapping } from '../../mapping/compile.ts'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import { managedObjects } from '../../objects/resource.ts'
import { scriptedParts } from '../../objects/testing/scripted-types.ts'
import type { ManagedType } from '../../objects/type/type.ts'
import type { PlanEntry } from '../../plan/entry.ts'
import { LocalEvents } from '../../repository/local/events.ts'
import { LocalLocks } from '../../repository/local/locks.ts'
import { localRunSets } from '../../repository/local/run-sets.ts'
import type { ObjectSet, RequestContext, ResourceProvider, Resources } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { scriptSource } from '../../scripts/definition.ts'
import type { ScriptEngine } from '../../scripts/engine.ts'
import { isolateEngine } from '../../scripts/isolate-engine.ts'
import { temporaryStore } from '../../testing/store.ts'
import { RunFlows } from '../changes/run-flows.ts'
import { ChangeWindows } from '../changes/windows.ts'
import { loadRules, type Rules } from '../page/rules.ts'
import { Reconciliations } from '../reconciliation/reconciliations.ts'
import type { ReconciliationRequest } from '../reconciliation/request.ts'
import { repoLinkProvider } from '../resources/repo-link.ts'
import { ActiveOperations } from '../services.ts'
import { type Damage, damaged } from './damage.ts'

const text = { type: 'string' }
const schema = {
  type: 'object',
  properties: { mail: { ...text, searchable: true }, name: text, kind: text, note: text, phone: text },
}
const plainTypes: ManagedType[] = [
  { name: 'person', schema },
  {
    name: 'user',
    schema: { ...schema, properties: { ...schema.properties, name: { ...text, minLength: 2 } } },
  },
]

export const source = 'managed/person'
export const target = 'managed/user'

/** On whose behalf runs are started. */
export const administrator: RequestContext = {
  external: false,
  userId: 'openidm-admin',
  roles: ['openidm-admin'],
  transactionId: 't',
}

export interface WorldOptions {
  /** The types of the source and the target, in place of plain ones: with scripts and encryption. */
  readonly types?: readonly ManagedType[]
  /** The mapping's configuration; source, target and name are given. */
  readonly mapping?: JsonObject
  /** The mapping made ready beforehand, by `worldRules`; instead of its configuration. */
  readonly rules?: Rules
  /** The consent service of the project. */
  readonly consentService?: boolean
  /** As of a system outside: its writes cannot join the repository's transactions, and heed the signal. */
  readonly external?: boolean
  /** With `external`: ids are the target's choice, not known beforehand. */
  readonly givesIds?: boolean
  /** Sets besides the managed ones, by their mount: as of systems outside. */
  readonly mounts?: Readonly<Record<string, ResourceProvider>>
  /** The work of each transaction is called twice, and what the first call did is thrown away. */
  readonly repeatTransactions?: boolean
  /** Called when target writes have been done, and before they are answered. */
  readonly onWrite?: () => void
  /** Called with what a script logs. */
  readonly onSaid?: (line: string) => void
}

export async function openWorld({
  types = plainTypes,
  mapping: configuration = {},
  rules: prepared,
  consentService = false,
  external = false,
  givesIds = false,
  mounts = {},
  repeatTransactions,
  onWrite = () => {},
  onSaid = () => {},
}: WorldOptions = {}) {
  const store = await temporaryStore(repeatTransactions ? { repeatTransactions } : undefined)
  const { repository, folder } = store
  const locks = new LocalLocks(repository)
  const writes: string[] = []
  const logged: string[] = []
  const damages = new Map<string, Damage>()
  const meanwhile: (() => Promise<unknown>)[] = []
  let resources: Resources
  const cryptography = fileSecrets({ keyFile: join(folder, 'key'), env: {} })
  const engine = engineIn(folder, () => resources, onSaid)
  const parts = scriptedParts(types, { engine, cryptography })
  const managed = await managedObjects({ repository, types, partsOf: parts.partsOf })
  const observing = { writes, meanwhile, external, givesIds, onWrite }
  resources = router({
    ...Object.fromEntries(
      Object.entries(mounts).map(([mount, provider]) => [
        mount,
        observed(provider, { ...observing, external: true }),
      ]),
    ),
    managed: observed(damaged(managed, damages), observing),
    audit: auditEvents(repository),
    'repo/link': repoLinkProvider(repository, () => undefined),
  })
  const rules = prepared ?? (await loaded(configuration, { consentService }, engine))
  const { mapping } = rules
  const singles = {
    repository,
    resources: () => resources,
    locks,
    runSets: localRunSets(),
    events: new LocalEvents(() => {}),
    activeOperations: new ActiveOperations(),
    flows: new RunFlows(),
    windows: new ChangeWindows(repository.links),
    mappings: () => [mapping],
    rulesOf: async () => rules,
    during: <T>(work: () => Promise<T>) => work(),
    log: (level: string, message: string) => void logged.push(`${level} ${message}`),
  }
  const reconciliations = new Reconciliations({
    ...singles,
    inlineRules: (content) => loaded(content, {}, engine),
  })

  async function put(path: string, objects: readonly JsonObject[]): Promise<void> {
    const set = resources.objectSet(path)
    const outcomes = await set.writeMany(
      objects.map((content) => ({ operation: 'create', id: String(content._id), content })),
      administrator,
    )
    for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
    writes.length = 0
  }

  return {
    repository,
    resources,
    reconciliations,
    /** For operations on single objects. */
    singles,
    mapping,
    /** `create u-1`, `update u-1`, `delete u-1`: the target writes since the last run began. */
    writes,
    /** `warn …`: what runs have logged. */
    logged,
    /** From now on, reading this set gives only what its damage leaves; without damage it is whole again. */
    damage: (path: string, damage: Damage = {}) => void damages.set(path, damage),
    /** Happens right after the next reading of targets: what others do before the run writes. */
    meanwhile: (act: () => Promise<unknown>) => void meanwhile.push(act),
    persons: (...objects: readonly JsonObject[]) => put(source, objects),
    users: (...objects: readonly JsonObject[]) => put(target, objects),
    remove: (path: string) => resources.delete(path, undefined, administrator),
    change: async (path: string, content: JsonObject) =>
      resources.update(path, undefined, content, administrator),
    /** Contents of an object set by id, without `_rev`. */
    async all(path: string): Promise<Record<string, JsonObject>> {
      const { result } = await resources.query(path, { filter: everything }, administrator)
      return Object.fromEntries(result.map(({ _rev, ...object }) => [object._id, object]))
    },
    async link(sourceId: string, targetId: string, linkQualifier = 'default'): Promise<void> {
      const _id = `${sourceId}-${targetId}-${linkQualifier}`
      const link = { _id, linkType: mapping.links.type, linkQualifier, firstId: sourceId, secondId: targetId }
      await repository.links.insert([link])
    },
    /** `p-1 → u-1`, sorted; a qualifier other than `default` in brackets. */
    async links(): Promise<string[]> {
      const { result } = await repository.links.query({ filter: everything })
      const show = ({ firstId, secondId, linkQualifier }: (typeof result)[number]) =>
        `${firstId} → ${secondId}${linkQualifier === 'default' ? '' : ` [${linkQualifier}]`}`
      return result.map(show).toSorted()
    },
    async run(request: Partial<ReconciliationRequest> = {}) {
      writes.length = 0
      const entries: PlanEntry[] = []
      const asked = { mapping: mapping.name, ...request }
      const onEntry = (entry: PlanEntry) => entries.push(entry)
      const { run, done } = await reconciliations.start(asked, administrator, { onEntry })
      await done
      return { run, entries, situations: situationsOf(entries) }
    },
    audit: async (runId: string) =>
      (await repository.audit.query('recon', { filter: parseFilter(`reconId eq "${runId}"`) })).result,
    async [Symbol.asyncDispose]() {
      await reconciliations.close()
      if (!prepared) await rules[Symbol.asyncDispose]()
      await parts[Symbol.asyncDispose]()
      await engine[Symbol.asyncDispose]()
      await locks[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

/**
 * Rules for many worlds, in the same isolates: to make those takes as long as a small run. Their scripts cannot call
 * `openidm`.
 */
export function worldRules(mapping: JsonObject): Promise<Rules> {
  const resources = () => {
    throw new Error('the scripts of shared rules have no resources')
  }
  return loaded(mapping, {}, engineIn('/nowhere', resources))
}

function engineIn(
  projectFolder: string,
  resources: () => Resources,
  onSaid: (line: string) => void = () => {},
): ScriptEngine {
  return isolateEngine({
    resources,
    secrets: fileSecrets({ keyFile: join(projectFolder, 'key'), env: {} }),
    properties: () => undefined,
    projectFolder,
    log: (_level, _label, message) => onSaid(message),
  })
}

export type World = Awaited<ReturnType<typeof openWorld>>

/** `source p-1: CONFIRMED UPDATE` for every operation, in order. */
function situationsOf(entries: readonly PlanEntry[]): string[] {
  return entries.map(({ phase, sourceId, targetId, situation, action }) => {
    const id = phase === 'source' ? sourceId : targetId
    return `${phase} ${id}: ${situation} ${action}`
  })
}

async function loaded(
  configuration: JsonObject,
  options: CompilationOptions,
  engine: ScriptEngine,
): Promise<Rules> {
  const content = { name: 'person_user', source, target, ...configuration }
  const { mapping, scripts, errors } = compileMapping(content, [{ name: 'person_user', content }], options)
  if (!mapping) throw new Error(errors.map(({ message }) => message).join('; '))
  const sources = Object.entries(scripts).map(([name, { definition }]) => {
    const read = scriptSource(definition, { label: name, readFile: () => undefined })
    if (!read.ok) throw new Error(read.finding.message)
    return [name, read.value]
  })
  return loadRules(mapping, Object.fromEntries(sources), engine)
}

interface Observation extends Required<Pick<WorldOptions, 'external' | 'givesIds' | 'onWrite'>> {
  readonly writes: string[]
  readonly meanwhile: (() => Promise<unknown>)[]
}

/** The provider, its target writes noted, its target readings followed by what happens meanwhile. */
function observed(
  provider: ResourceProvider,
  { writes, meanwhile, external, givesIds, onWrite }: Observation,
): ResourceProvider {
  const noted = (set: ObjectSet): ObjectSet => ({
    ...set,
    ...(givesIds ? { idOf: () => undefined } : {}),
    async readMany(ids, signal) {
      const found = await set.readMany(ids, signal)
      if (set.path === target) await meanwhile.shift()?.()
      return found
    },
    async writeMany(requests, request, signal) {
      const outcomes = await set.writeMany(requests, request, signal)
      for (const [place, write] of requests.entries()) {
        const outcome = outcomes[place]
        const id = write.operation === 'create' && outcome?.ok ? outcome.object._id : write.id
        if (outcome?.ok) writes.push(`${write.operation} ${id}`)
      }
      onWrite()
      if (external) signal?.throwIfAborted()
      return outcomes
    },
    ...(external || !set.joining
      ? { joining: undefined }
      : { joining: (store) => noted(set.joining?.(store) as ObjectSet) }),
  })
  return {
    ...provider,
    objectSet: (path) => (provider.objectSet ? noted(provider.objectSet(path) as ObjectSet) : undefined),
  }
}
