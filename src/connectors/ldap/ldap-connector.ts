import { everything, type Filter } from '../../model/filter/filter.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import type { SortKey } from '../../model/sort.ts'
import type { ChangesPage, SyncToken } from '../kit/changes.ts'
import type { Capabilities, Lifecycle } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Clock, ConnectorHost } from '../kit/kind.ts'
import type {
  ConnectorEntry,
  ConnectorQuery,
  ObjectPage,
  PageQuery,
  SearchEnd,
  SplitFilter,
} from '../kit/query.ts'
import type { ObjectClass } from '../kit/schema.ts'
import { noSteps } from '../kit/steps.ts'
import { isValueList, Secret, type Value } from '../kit/values.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { descriptionOf, type LdapAttribute, nameAttribute, nameSyntax } from './attributes.ts'
import { unknownBase } from './base-search.ts'
import { changesSince, everyObject, latestToken } from './changes/reading.ts'
import { Connection } from './connection.ts'
import { accountClass, Directory, type Facts, groupClass } from './directory.ts'
import { distinct, textValue } from './encoding.ts'
import { splitForServer } from './filter.ts'
import { logIn, loginOf } from './logins.ts'
import { OpenSearches } from './paging.ts'
import { readObjects, searchObjects } from './read.ts'
import type { LdapSettings } from './settings.ts'
import { classesAsPresent, namesAsPresent, ownNameAsPresent } from './spelling.ts'
import { heldVirtual } from './virtual.ts'
import { writeObjects } from './write.ts'

/**
 * A directory as a system (platform §5.2). Object classes are `__ACCOUNT__`, `__GROUP__`, and every structural object class of the
 * server under its own name. The name of an entry (`__NAME__`) is the attribute `dn`; the id never changes with it.
 *
 * What the connector knows of attributes comes from the schema of the server. Before it was read for the first time, filters are
 * not given to the server, and lists are set as wholes.
 */
type LdapCapabilities = Pick<
  Capabilities,
  | 'test'
  | 'schema'
  | 'search'
  | 'split'
  | 'page'
  | 'sorts'
  | 'readMany'
  | 'writeMany'
  | 'deltas'
  | 'idOf'
  | 'held'
  | 'latestToken'
  | 'changesSince'
  | 'authenticate'
  | 'resolveUsername'
  | 'discover'
  | 'recommend'
>

export class LdapConnector implements Lifecycle, LdapCapabilities {
  readonly displayName = 'LDAP Connector'
  readonly #settings: LdapSettings
  readonly #directory: Directory
  readonly #clock: Clock
  readonly #searches: OpenSearches

  constructor(settings: LdapSettings, host: ConnectorHost) {
    this.#settings = settings
    this.#directory = new Directory(settings, host)
    this.#clock = host.clock
    this.#searches = new OpenSearches(this.#directory, host.clock, host.pool.max)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#searches[Symbol.asyncDispose]()
    await this.#directory[Symbol.asyncDispose]()
  }

  agreedNames(): Readonly<Record<string, string>> {
    return { __NAME__: nameAttribute, __PASSWORD__: this.#settings.passwordAttribute }
  }

  /** As the peer: where an attribute is asked for that an entry does not have, OpenICF's connector gives one without values. */
  givesEmptyLists(): boolean {
    return true
  }

  async test(signal?: AbortSignal, steps = noSteps): Promise<void> {
    await (await Connection.open(this.#settings, signal, steps)).close()
    steps.enter('server')
    await this.#directory.use(async (connection, facts) => {
      steps.tell(`${facts.schema.types.size} attributes; the id is ${facts.uidAttribute}`)
      for (const { text } of this.#settings.bases) {
        steps.enter('base', text)
        if (await connection.entry(text, { attributes: ['1.1'] }, signal)) continue
        throw unknownBase(facts, text)
      }
      steps.enter('schema')
      facts.class(accountClass)
    }, signal)
  }

  async schema(signal?: AbortSignal): Promise<Readonly<Record<string, ObjectClass>>> {
    const facts = await this.#directory.refresh(signal)
    const structural = [...new Set(facts.schema.classes.values())].filter(({ kind }) => kind === 'STRUCTURAL')
    const names = [
      accountClass,
      ...(this.#hasGroups(facts) ? [groupClass] : []),
      ...structural.map(({ name }) => name),
    ]
    return Object.fromEntries(names.map((name) => [name, facts.class(name).attributes.objectClass]))
  }

  search(query: ConnectorQuery, signal?: AbortSignal): AsyncGenerator<readonly ConnectorEntry[], SearchEnd> {
    return searchObjects(this.#directory, query, signal)
  }

  split(objectClass: string, filter: Filter): SplitFilter {
    const names = this.#directory.known?.class(objectClass).names
    return names ? splitForServer(filter, names) : { native: everything, rest: filter }
  }

  /** Servers sort by what they have an index for, if at all. */
  sorts(_objectClass: string, sortKeys: readonly SortKey[]): boolean {
    return sortKeys.length === 0
  }

  page(query: PageQuery, signal?: AbortSignal): Promise<ObjectPage> {
    return this.#searches.page(query, signal)
  }

  async readMany(
    objectClass: string,
    ids: readonly string[],
    fields?: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorEntry>> {
    return readObjects(this.#directory, objectClass, ids, fields, signal)
  }

  async writeMany(
    objectClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly ConnectorWriteOutcome[]> {
    return writeObjects(this.#directory, objectClass, writes, signal)
  }

  /** A value can be removed only where the server can compare it. */
  deltas(objectClass: string, name: string): boolean {
    const facts = this.#directory.known
    const attribute = facts?.class(objectClass).names.attribute(name)
    const { equality } = facts?.schema.types.get(descriptionOf(name).type) ?? {}
    return attribute?.multivalued === true && (equality !== undefined || attribute.membership !== undefined)
  }

  /** The server gives the ids. */
  idOf(): undefined {
    return undefined
  }

  held(objectClass: string, name: string, value: Value, present?: Value): Value {
    if (value instanceof Secret || value instanceof Uint8Array) return value
    const attribute = this.#directory.known?.class(objectClass).names.attribute(name)
    if (attribute?.virtual) return heldVirtual(attribute.virtual, value)
    const kept = distinct(value, attribute).map((one) => textValue(one) ?? one)
    const spelled = attribute ? this.#spelled(attribute, kept, present) : kept
    if (isValueList(value)) return spelled.length === 0 ? null : spelled
    return spelled[0] ?? null
  }

  /** Values that are there in another spelling have that one. */
  #spelled(attribute: LdapAttribute, values: readonly Value[], present: Value | undefined): readonly Value[] {
    const schema = this.#directory.known?.schema
    if (present === undefined || !schema) return values
    const [first] = values
    if (attribute.name === nameAttribute)
      return typeof first === 'string' && typeof present === 'string'
        ? [ownNameAsPresent(first, present)]
        : values
    if (attribute.name.toLowerCase() === 'objectclass') return classesAsPresent(values, present, schema)
    return attribute.syntax === nameSyntax ? namesAsPresent(values, present) : values
  }

  async latestToken(objectClass: string, signal?: AbortSignal): Promise<SyncToken> {
    return latestToken({ directory: this.#directory, objectClass, clock: this.#clock, signal })
  }

  changesSince(
    objectClass: string,
    token: SyncToken | null,
    signal?: AbortSignal,
    fields?: readonly string[],
  ): AsyncGenerator<ChangesPage, SearchEnd> {
    const asked = { directory: this.#directory, objectClass, clock: this.#clock, signal, fields }
    return token === null ? everyObject(asked) : changesSince(asked, token)
  }

  async authenticate(
    objectClass: string,
    username: string,
    password: Secret,
    signal?: AbortSignal,
  ): Promise<string> {
    const login = await loginOf(this.#directory, objectClass, username, signal)
    return logIn(this.#directory, login, password, signal)
  }

  async discover(signal?: AbortSignal): Promise<Readonly<Record<string, readonly Json[]>>> {
    const { root, schema } = await this.#directory.refresh(signal)
    const structural = [...new Set(schema.classes.values())].filter(({ kind }) => kind === 'STRUCTURAL')
    return {
      baseContexts: root.get('namingcontexts') ?? [],
      accountObjectClasses: structural.map(({ name }) => name),
    }
  }

  /** The defaults are those of the peer, for people of the standard; Active Directory has classes of its own. */
  async recommend(signal?: AbortSignal): Promise<JsonObject> {
    const { profile } = await this.#directory.refresh(signal)
    const { servers, securing } = this.#settings
    const isSecure = securing.startTls || servers.every(({ secure }) => secure)
    const { passwordAttribute, ...others } = profile.settings
    return { ...others, ...(passwordAttribute !== undefined && isSecure && { passwordAttribute }) }
  }

  async resolveUsername(objectClass: string, username: string, signal?: AbortSignal): Promise<string> {
    const login = await loginOf(this.#directory, objectClass, username, signal)
    if (login) return login.id
    throw new ConnectorError('unknownId', `No account has the login name "${username}"`)
  }

  #hasGroups(facts: Facts): boolean {
    return this.#settings.groups.objectClasses.every((name) => facts.schema.classes.has(name.toLowerCase()))
  }
}
