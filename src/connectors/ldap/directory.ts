import type { Entry, Filter } from 'ldapts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorHost } from '../kit/kind.ts'
import { Pool } from '../kit/pool.ts'
import { attributeNamed, attributesOf, type ClassAttributes, nameAttribute } from './attributes.ts'
import { Connection, isBroken } from './connection.ts'
import { parseDn } from './dn.ts'
import { valuesIn } from './entries.ts'
import { and, classFilter, type FilterNames } from './filter.ts'
import { membershipsOf, type Placeholder, placeholderOf } from './membership.ts'
import { matchedValuesControl } from './membership-reading.ts'
import { postReadControl } from './post-read.ts'
import { type Profile, profileOf, type RootDse } from './profiles.ts'
import type { LdapSettings, Scope } from './settings.ts'
import { lineage, parseSubschema, type Subschema } from './subschema.ts'

/** A directory: its connections, and what its root DSE and its schema say, read once. */
export class Directory implements AsyncDisposable {
  readonly settings: LdapSettings
  readonly #pool: Pool<Connection>
  #facts: Promise<Facts> | undefined
  /** The same facts once they are there. */
  known: Facts | undefined

  constructor(settings: LdapSettings, host: ConnectorHost) {
    this.settings = settings
    const { max, min, idleTime, patience } = host.pool
    this.#pool = new Pool({
      open: (signal) => Connection.open(settings, signal),
      close: (connection) => connection.close(),
      validate: async (connection) => connection.isUsable,
      max,
      min,
      idleTime,
      patience,
      clock: host.clock,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool[Symbol.asyncDispose]()
  }

  /** Works with a connection of its own. */
  async use<T>(work: (connection: Connection, facts: Facts) => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#pool.use(async (connection, both) => work(connection, await this.#learn(connection, both)), {
      signal,
      isBroken,
    })
  }

  /** The same for a stream: the connection is kept until the stream ends, since a page follows only where the one before was read. */
  async *stream<T, R>(
    work: (connection: Connection, facts: Facts, signal: AbortSignal) => AsyncGenerator<T, R>,
    signal?: AbortSignal,
  ): AsyncGenerator<T, R> {
    const taken = Promise.withResolvers<{ readonly connection: Connection; readonly both: AbortSignal }>()
    const left = Promise.withResolvers<void>()
    const using = this.#pool.use(
      async (connection, both) => {
        both.addEventListener('abort', () => left.reject(both.reason), { once: true })
        taken.resolve({ connection, both })
        await left.promise
      },
      { signal, isBroken },
    )
    using.catch(taken.reject)
    const { connection, both } = await taken.promise
    // Whoever leaves in the middle abandons the search; the connection is good for others.
    let end: () => void = left.resolve
    try {
      return yield* work(connection, await this.#learn(connection, both), both)
    } catch (error) {
      end = () => left.reject(error)
      throw error
    } finally {
      end()
      await using.catch(() => undefined)
    }
  }

  /** Reads anew what the server says of itself. */
  async refresh(signal?: AbortSignal): Promise<Facts> {
    this.#facts = undefined
    return this.use(async (_, facts) => facts, signal)
  }

  async #learn(connection: Connection, signal: AbortSignal): Promise<Facts> {
    // Another operation may be reading them; if it fails or is aborted, that is not the failure of this one.
    const shared = await this.#facts?.catch(() => undefined)
    if (shared) return shared
    const own = readFacts(connection, this.settings, signal)
    this.#facts = own
    try {
      this.known = await own
      return this.known
    } catch (error) {
      if (this.#facts === own) this.#facts = undefined
      throw error
    }
  }
}

export interface Facts {
  readonly server: string
  readonly root: RootDse
  readonly profile: Profile
  readonly uidAttribute: string
  readonly paged: boolean
  readonly permissiveModify: boolean
  readonly postRead: boolean
  readonly matchesValues: boolean
  readonly schema: Subschema
  class(name: string): ClassFacts
}

/** One object class of the connector. */
export interface ClassFacts {
  readonly attributes: ClassAttributes
  readonly filter: Filter
  readonly scope: Scope
  readonly names: FilterNames
  /** A member of groups that have no other. */
  readonly placeholder: Placeholder | undefined
  /** What an entry is, where the object does not say it. */
  readonly objectClasses: readonly string[]
}

export const accountClass = '__ACCOUNT__'
export const groupClass = '__GROUP__'
const pagedResults = '1.2.840.113556.1.4.319'
export const permissiveModify = '1.2.840.113556.1.4.1413'

async function readFacts(
  connection: Connection,
  settings: LdapSettings,
  signal: AbortSignal,
): Promise<Facts> {
  const rootEntry = await connection.entry('', { attributes: ['*', '+'] }, signal)
  const root = textsOf(rootEntry)
  const profile = profileOf(root)
  const schema = profile.completed(await readSubschema(connection, root, signal))
  const uidAttribute = settings.uidAttribute ?? profile.uidAttribute
  const controls = new Set(root.get('supportedcontrol'))
  const classes = new Map<string, ClassFacts>()
  const facts: Facts = {
    server: connection.server,
    root,
    profile,
    uidAttribute,
    paged: controls.has(pagedResults),
    permissiveModify: controls.has(permissiveModify),
    postRead: controls.has(postReadControl),
    matchesValues: controls.has(matchedValuesControl),
    schema,
    class(name) {
      const found = classes.get(name) ?? classFacts(name, facts, settings)
      classes.set(name, found)
      return found
    },
  }
  return facts
}

function classFacts(name: string, facts: Facts, settings: LdapSettings): ClassFacts {
  const { schema, profile, uidAttribute, server } = facts
  const isAgreed = name === accountClass || name === groupClass
  const { objectClasses, filter, scope } = !isAgreed
    ? ({ objectClasses: [name], filter: undefined, scope: 'sub' } as const)
    : name === groupClass
      ? settings.groups
      : settings.accounts
  const unknown = objectClasses.filter((one) => lineage(schema, one).length === 0)
  if (unknown.length > 0) {
    const message = `${server} has no object class ${unknown.join(', ')}`
    throw new ConnectorError(isAgreed ? 'misconfigured' : 'unknownClass', message)
  }
  const leftOut = profile.leftOut(objectClasses).filter((one) => schema.classes.has(one.toLowerCase()))
  const attributes = attributesOf(schema, objectClasses, settings.passwordAttribute, profile.virtual, {
    memberships: name === accountClass ? membershipsOf(schema, settings) : [],
    memberIds: name === groupClass && settings.memberIds,
  })
  return {
    attributes,
    filter: and([
      filter ?? classFilter(objectClasses, leftOut),
      ...(settings.restriction ? [settings.restriction] : []),
    ]),
    scope,
    objectClasses,
    placeholder: name === groupClass ? placeholderOf(settings) : undefined,
    names: {
      // A name is no attribute of its entry; the one that stands for it in filters is of RFC 5020.
      uidAttribute: isName(uidAttribute) ? (profile.nameAttribute ?? 'entryDN') : uidAttribute,
      idIsName: isName(uidAttribute),
      nameAttribute: profile.nameAttribute,
      findsMore: profile.findsMore,
      attribute: (one) => attributeNamed(attributes, one),
      idValue: (id) => idValue(id, uidAttribute, schema),
    },
  }
}

/** Are ids the names of entries, as existing configurations want it? */
export function isName(uidAttribute: string): boolean {
  return uidAttribute.toLowerCase() === nameAttribute
}

/** An id as the server compares it; undefined for a text that no entry can have. */
function idValue(id: string, uidAttribute: string, { types }: Subschema): string | Buffer | undefined {
  if (isName(uidAttribute)) return (parseDn(id) ?? []).length > 0 ? id : undefined
  const [, bytes] = /^<GUID=((?:[0-9a-f]{2})+)>$/i.exec(id) ?? []
  if (bytes !== undefined) return Buffer.from(bytes, 'hex')
  const isUuid = types.get(uidAttribute.toLowerCase())?.equality?.toLowerCase() === 'uuidmatch'
  return isUuid && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id) ? undefined : id
}

async function readSubschema(connection: Connection, root: RootDse, signal: AbortSignal): Promise<Subschema> {
  const [name] = root.get('subschemasubentry') ?? []
  const asked = ['attributeTypes', 'objectClasses']
  const entry = name === undefined ? undefined : await connection.entry(name, { attributes: asked }, signal)
  const texts = textsOf(entry)
  const [types = [], classes = []] = asked.map((one) => texts.get(one.toLowerCase()))
  if (types.length > 0 && classes.length > 0) return parseSubschema(types, classes)
  throw new ConnectorError(
    'permission',
    `${connection.server} does not show its schema${name === undefined ? '' : ` (${name})`}; the account must be allowed to read it`,
  )
}

function textsOf(entry: Entry | undefined): RootDse {
  return new Map(
    Object.entries(entry ?? {})
      .filter(([name]) => name !== nameAttribute)
      .map(([name, values]) => [name.toLowerCase(), valuesIn(values).map(String)]),
  )
}
