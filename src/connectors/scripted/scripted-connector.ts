import { chunks, repaged } from '../../kit/chunks.ts'
import { everything, type Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { ChangesPage, SyncToken } from '../kit/changes.ts'
import type { Capabilities, Lifecycle, ScriptCall } from '../kit/connector.ts'
import { ConnectorError, kindOfError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorObject, ConnectorQuery, SearchEnd, SplitFilter } from '../kit/query.ts'
import type { ClassOperation, ObjectClass } from '../kit/schema.ts'
import type { Secret } from '../kit/values.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { changesOf } from './changes.ts'
import { objectOf, schemaOf } from './objects.ts'
import type { Database, Operations } from './operations.ts'
import type { OperationInput } from './program.ts'
import { askable } from './query.ts'
import type { ScriptSet } from './script-set.ts'
import type { Hook } from './settings.ts'
import { refusalOf, secretsOfWrite, writeInput } from './writes.ts'

/**
 * A system whose operations are scripts (platform §5.4). What it offers is what it has scripts for.
 */
const pageSize = 500
/** So many ids are asked for by one call of the search script. */
const idsAtOnce = 100

type Offered = Partial<
  Pick<
    Capabilities,
    | 'test'
    | 'schema'
    | 'search'
    | 'split'
    | 'readMany'
    | 'writeMany'
    | 'refusals'
    | 'latestToken'
    | 'changesSince'
    | 'authenticate'
    | 'resolveUsername'
    | 'runScript'
  >
>

export interface ScriptedParts {
  readonly displayName: string
  readonly scripts: ScriptSet
  readonly operations: Operations
  readonly database: Database | undefined
  readonly warn: (message: string) => void
}

export class ScriptedConnector implements Lifecycle, Offered {
  readonly displayName: string
  readonly test?: Capabilities['test']
  readonly schema?: Capabilities['schema']
  readonly search?: Capabilities['search']
  readonly split?: Capabilities['split']
  readonly readMany?: Capabilities['readMany']
  readonly writeMany?: Capabilities['writeMany']
  readonly refusals?: Capabilities['refusals']
  readonly latestToken?: Capabilities['latestToken']
  readonly changesSince?: Capabilities['changesSince']
  readonly authenticate?: Capabilities['authenticate']
  readonly resolveUsername?: Capabilities['resolveUsername']
  readonly runScript?: Capabilities['runScript']
  readonly #parts: ScriptedParts
  /** As the schema script described it last. */
  #classes: Promise<Readonly<Record<string, ObjectClass>>> | undefined
  /** The search script failed when it was asked for several ids. */
  #readsOneByOne = false

  constructor(parts: ScriptedParts) {
    const { scripts, database } = parts
    this.displayName = parts.displayName
    this.#parts = parts
    if (scripts.has('test') || database) this.test = (signal) => this.#test(signal)
    if (scripts.has('schema')) {
      this.schema = (signal) => this.#described(signal)
      this.refusals = (objectClass, writes, signal) => this.#refusals(objectClass, writes, signal)
    }
    if (scripts.has('search')) {
      this.search = (query, signal) => this.#search(query, signal)
      this.split = (_objectClass, filter) => split(filter)
      this.readMany = (objectClass, ids, fields, signal) => this.#readMany(objectClass, ids, fields, signal)
    }
    if (scripts.has('create') || scripts.has('update') || scripts.has('delete'))
      this.writeMany = (objectClass, writes, signal) => this.#writeMany(objectClass, writes, signal)
    if (scripts.has('sync')) {
      this.latestToken = (objectClass, signal) => this.#latestToken(objectClass, signal)
      this.changesSince = (objectClass, token, signal) => this.#changes(objectClass, token, signal)
    }
    if (scripts.has('authenticate'))
      this.authenticate = (objectClass, username, password, signal) =>
        this.#authenticate(objectClass, username, password, signal)
    if (scripts.has('resolveUsername'))
      this.resolveUsername = (objectClass, username, signal) => this.#resolve(objectClass, username, signal)
    if (scripts.has('scriptOnResource') || database)
      this.runScript = (call, signal) => this.#runScript(call, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.scripts[Symbol.asyncDispose]()
    await this.#parts.database?.connections[Symbol.asyncDispose]()
  }

  async #test(signal?: AbortSignal): Promise<void> {
    this.#classes = undefined
    const { scripts, operations, database } = this.#parts
    if (scripts.has('test'))
      await operations.one({ script: 'test', operation: 'TEST', variables: {} }, { signal })
    else await database?.connections.use(async () => undefined, signal)
  }

  #described(signal?: AbortSignal): Promise<Readonly<Record<string, ObjectClass>>> {
    this.#classes = this.#describe(signal)
    this.#classes.catch(() => {
      this.#classes = undefined
    })
    return this.#classes
  }

  async #describe(signal?: AbortSignal): Promise<Readonly<Record<string, ObjectClass>>> {
    const { operations, scripts } = this.#parts
    const input = { script: 'schema', operation: 'SCHEMA', variables: {} }
    const { value, described } = await operations.one(input, { signal })
    const classes = Object.keys(Object(described)).length > 0 ? described : value
    return schemaOf(Object(classes), operationsOf(scripts))
  }

  /** Undefined where there is no schema script. */
  async #classOf(name: string, signal?: AbortSignal): Promise<ObjectClass | undefined> {
    if (!this.#parts.scripts.has('schema')) return undefined
    const classes = await (this.#classes ?? this.#described(signal))
    const found = Object.hasOwn(classes, name) ? classes[name] : undefined
    if (found) return found
    const known = Object.keys(classes).join(', ')
    throw new ConnectorError(
      'unknownClass',
      `The schema script describes no object class ${name}; it has ${known}`,
    )
  }

  async *#search(
    { objectClass, filter, fields, pageSize: size = pageSize }: ConnectorQuery,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly ConnectorEntry[], SearchEnd> {
    const described = await this.#classOf(objectClass, signal)
    const input = { ...searching(objectClass, filter, fields), pageSize: size }
    yield* repaged(this.#handed(input, signal), size, (given) => only(objectOf(given, described), fields))
    return undefined
  }

  /** Without the value of the script: what a page is made of does not depend on it. */
  async *#handed(input: OperationInput, signal?: AbortSignal): AsyncGenerator<readonly Json[], undefined> {
    yield* this.#parts.operations.handed(input, signal)
    return undefined
  }

  async #readMany(
    objectClass: string,
    ids: readonly string[],
    fields?: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorEntry>> {
    const described = await this.#classOf(objectClass, signal)
    const found = new Map<string, ConnectorEntry>()
    const wanted = new Set(ids)
    for (const given of await this.#searched(objectClass, [...wanted], fields, signal)) {
      const object = objectOf(given, described)
      if (wanted.has(object._id)) found.set(object._id, only(object, fields))
    }
    return found
  }

  /** By one call for many ids, unless the script cannot answer that. */
  async #searched(
    objectClass: string,
    ids: readonly string[],
    fields: readonly string[] | undefined,
    signal?: AbortSignal,
  ): Promise<readonly Json[]> {
    const { operations, warn } = this.#parts
    const found: Json[] = []
    const objects = async (page: readonly Json[]) => found.push(...page) > 0
    const groups = this.#readsOneByOne ? ids.map((id) => [id]) : [...chunks(ids, idsAtOnce)]
    const outcomes = await operations.run(
      groups.map((group) => searching(objectClass, withIds(group), fields)),
      { signal, objects },
    )
    const failed = outcomes.find((outcome) => !outcome.ok)
    if (!failed || failed.ok) return found
    const isPlain = ['connection', 'timeout', 'busy', 'authentication'].includes(
      kindOfError(failed.error) ?? '',
    )
    if (isPlain || groups.every((group) => group.length === 1)) throw failed.error
    this.#readsOneByOne = true
    warn(
      `The search script cannot answer a query for several ids, so that objects are read one by one: ${failed.error.message}`,
    )
    return this.#searched(objectClass, ids, fields, signal)
  }

  async #writeMany(
    objectClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly ConnectorWriteOutcome[]> {
    const { operations } = this.#parts
    const refusals = await this.#refusals(objectClass, writes, signal)
    const sent = writes.filter((_, place) => refusals[place] === undefined)
    const outcomes = await operations.run(
      sent.map((write) => writeInput(objectClass, write)),
      { signal, isWriting: true, secrets: (input) => secretsOfWrite(sent[input]) },
    )
    const next = outcomes.values()
    return writes.map((write, place): ConnectorWriteOutcome => {
      const refusal = refusals[place]
      if (refusal) return { ok: false, error: refusal }
      const outcome = next.next().value
      if (!outcome?.ok) return { ok: false, error: outcome?.error ?? new Error('a write has no outcome') }
      const { value }: { readonly value?: unknown } = Object(outcome.value)
      return { ok: true, id: typeof value === 'string' ? value : (write.id ?? '') }
    })
  }

  async #refusals(
    objectClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly (Error | undefined)[]> {
    const described = await this.#classOf(objectClass, signal)
    return writes.map((write) => refusalOf(write, this.#parts.scripts, described))
  }

  async #latestToken(objectClass: string, signal?: AbortSignal): Promise<SyncToken> {
    const variables = { objectClass, token: null }
    const input = { script: 'sync', operation: 'GET_LATEST_SYNC_TOKEN', variables }
    const { value } = await this.#parts.operations.one(input, { signal })
    return { epoch, position: value }
  }

  async *#changes(
    objectClass: string,
    token: SyncToken | null,
    signal?: AbortSignal,
  ): AsyncGenerator<ChangesPage, SearchEnd> {
    const described = await this.#classOf(objectClass, signal)
    const { operations, scripts } = this.#parts
    const after = (position: Json): SyncToken => ({ epoch, position })
    if (token || !scripts.has('search')) {
      const variables = { objectClass, token: token?.position ?? null }
      const input = { script: 'sync', operation: 'SYNC', variables, pageSize }
      yield* changesOf(operations.handed(input, signal), described, after)
      return undefined
    }
    // Everything that there is: the search script says it, and what changes meanwhile comes after the token.
    const present = await this.#latestToken(objectClass, signal)
    let last: ChangesPage | undefined
    for await (const page of this.#search({ objectClass, filter: everything }, signal)) {
      if (last) yield last
      const changes = page.map((object) => ({ kind: 'CREATE_OR_UPDATE' as const, id: object._id, object }))
      last = { changes, token: null }
    }
    if (last) yield { ...last, token: present }
    return undefined
  }

  async #authenticate(
    objectClass: string,
    username: string,
    password: Secret,
    signal?: AbortSignal,
  ): Promise<string> {
    const variables = { objectClass, username, password: password.reveal() }
    const input = { script: 'authenticate', operation: 'AUTHENTICATE', variables }
    const { value } = await this.#parts.operations.one(input, { signal, secrets: () => [password.reveal()] })
    const uid = textIn(value)
    if (uid !== undefined) return uid
    throw new ConnectorError(
      'wrongCredentials',
      `The password is wrong, or there is no account "${username}"`,
    )
  }

  async #resolve(objectClass: string, username: string, signal?: AbortSignal): Promise<string> {
    const variables = { objectClass, username }
    const input = { script: 'resolveUsername', operation: 'RESOLVE_USERNAME', variables }
    const uid = textIn((await this.#parts.operations.one(input, { signal })).value)
    if (uid !== undefined) return uid
    throw new ConnectorError('unknownId', `There is no account "${username}"`)
  }

  /** By the script for such calls if there is one; otherwise the text of the call is the script. */
  async #runScript({ language, text, variables }: ScriptCall, signal?: AbortSignal): Promise<Json> {
    const { scripts, operations } = this.#parts
    if (scripts.has('scriptOnResource')) {
      const given = { ...variables, scriptArguments: variables, scriptText: text, scriptLanguage: language }
      const input = { script: 'scriptOnResource', operation: 'RUNSCRIPTONRESOURCE', variables: given }
      return (await operations.one(input, { signal, isWriting: true })).value
    }
    if (!/^(text\/)?javascript$/i.test(language))
      throw new ConnectorError(
        'unsupported',
        `Scripts in ${language} do not run here; rewrite it in JavaScript`,
      )
    const adhoc = { label: 'system action', source: text, globals: {} }
    const input = { script: 'adhoc', operation: 'RUNSCRIPTONCONNECTOR', variables }
    return (await operations.one(input, { signal, isWriting: true, adhoc })).value
  }
}

/** Tokens are the script's own: nothing here says whether the system was replaced. */
const epoch = 'script'

function split(filter: Filter): SplitFilter {
  return { native: askable(filter), rest: filter }
}

function searching(
  objectClass: string,
  filter: Filter,
  fields: readonly string[] | undefined,
): OperationInput {
  const options: JsonObject = fields ? { attributesToGet: [...fields] } : {}
  return { script: 'search', operation: 'SEARCH', variables: { objectClass, options }, filter }
}

function withIds(ids: readonly string[]): Filter {
  const pointer = ['_id']
  const [id = ''] = ids
  if (ids.length === 1) return { kind: 'compare', operator: 'eq', pointer, value: id }
  return { kind: 'compare', operator: 'in', pointer, value: [...ids] }
}

function only(object: ConnectorObject, fields: readonly string[] | undefined): ConnectorObject {
  if (!fields) return object
  const wanted: ConnectorObject = { _id: object._id }
  for (const name of fields) if (object[name] !== undefined) wanted[name] = object[name]
  return wanted
}

function textIn(value: Json): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

const operationsByHook: readonly (readonly [Hook, ClassOperation])[] = [
  ['create', 'CREATE'],
  ['update', 'UPDATE'],
  ['delete', 'DELETE'],
  ['search', 'GET'],
  ['search', 'SEARCH'],
  ['authenticate', 'AUTHENTICATE'],
  ['sync', 'SYNC'],
]

function operationsOf(scripts: ScriptSet): readonly ClassOperation[] {
  return operationsByHook.flatMap(([hook, operation]) => (scripts.has(hook) ? [operation] : []))
}
