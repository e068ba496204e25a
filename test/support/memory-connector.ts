import type {
  Attributes,
  Capabilities,
  Connector,
  ConnectorChange,
  ConnectorObject,
  ConnectorQuery,
  ConnectorWrite,
  NativeAttribute,
  SearchEnd,
} from '../../src/connector.ts'
import { attribute, ConnectorError, changed, eachWrite, requireEpoch, Secret } from '../../src/connector.ts'

/** A connector that keeps its accounts in memory, by login name. */
export interface Memory {
  readonly epoch: string
  readonly accounts: Map<string, ConnectorObject>
  /** What has happened, in order. */
  readonly log: ConnectorChange[]
}

const text = { type: 'string', multivalued: false, required: false, comparison: 'exact' } as const
const attributes: readonly NativeAttribute[] = [
  { ...text, name: 'login', required: true, unique: true },
  { ...text, name: 'mail' },
  { ...text, name: 'groups', multivalued: true },
  { ...text, name: 'photo', type: 'bytes' },
  { ...text, name: 'password', secret: true },
]
const names = new Set(attributes.map(({ name }) => name))

type Offered = 'schema' | 'count' | 'idOf' | 'deltas' | 'writeMany' | 'authenticate'

/** Everything can be read. */
export interface Reads {
  search(query: ConnectorQuery, signal?: AbortSignal): AsyncIterable<readonly ConnectorObject[], SearchEnd>
  readMany(
    objectClass: string,
    ids: readonly string[],
    fields?: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorObject>>
}

type MemoryConnector = Omit<Connector, keyof Reads> &
  Pick<Capabilities, Offered | 'latestToken' | 'changesSince'> &
  Reads

export function memoryConnector(memory: Memory): MemoryConnector {
  const { epoch, accounts, log } = memory
  return {
    displayName: 'Memory',
    agreedNames: () => ({ __NAME__: 'login', __PASSWORD__: 'password' }),
    schema: async () => ({ __ACCOUNT__: { attributes } }),
    async *search({ objectClass, fields, pageSize = 500 }, signal) {
      if (objectClass !== '__ACCOUNT__')
        throw new ConnectorError('unknownClass', `There is no ${objectClass}`)
      const all = [...accounts.values()]
      for (let start = 0; start <= all.length; start += pageSize) {
        signal?.throwIfAborted()
        const page = all.slice(start, start + pageSize)
        if (page.length > 0) yield page.map((account) => partOf(account, fields))
      }
    },
    async readMany(_, ids, fields, signal) {
      signal?.throwIfAborted()
      const found = ids.map((id) => accounts.get(id)).filter((account) => account !== undefined)
      return new Map(found.map((account) => [account._id, partOf(account, fields)]))
    },
    count: async () => accounts.size,
    idOf: (_, { login }, proposed) => (typeof login === 'string' ? login : proposed),
    deltas: () => true,
    async writeMany(_, writes, signal) {
      signal?.throwIfAborted()
      return eachWrite(writes, (write) => perform(write, memory))
    },
    async authenticate(_, username, password) {
      const stored = accounts.get(username)?.password
      if (stored instanceof Secret && stored.equals(password)) return username
      throw new ConnectorError('wrongCredentials', 'The password is wrong, or there is no such account')
    },
    latestToken: async () => ({ epoch, position: log.length }),
    async *changesSince(_, token) {
      if (token) requireEpoch(token, epoch, 'The memory')
      const changes = log.slice(Number(token?.position ?? 0))
      if (changes.length > 0) yield { changes, token: { epoch, position: log.length } }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function partOf(account: ConnectorObject, fields?: readonly string[]): ConnectorObject {
  const wanted = Object.entries(account).filter(([name]) => !fields || fields.includes(name))
  return { ...Object.fromEntries(wanted), _id: account._id }
}

function perform(write: ConnectorWrite, memory: Memory): ConnectorObject {
  if (write.operation === 'create') return put(memory, write.attributes)
  const before = memory.accounts.get(write.id)
  if (!before) throw new ConnectorError('unknownId', `There is no account "${write.id}"`)
  if (write.operation === 'update') return put(memory, changed(before, write.changes), before)
  memory.accounts.delete(write.id)
  memory.log.push({ kind: 'DELETE', id: write.id })
  return before
}

function put({ accounts, log }: Memory, content: Attributes, before?: ConnectorObject): ConnectorObject {
  const unknown = Object.keys(content).find((name) => name !== '_id' && !names.has(name))
  const id = String(attribute(content, 'login') ?? '')
  if (unknown) throw new ConnectorError('schemaViolation', `There is no attribute ${unknown}`)
  if (id === '') throw new ConnectorError('schemaViolation', 'An account needs a login')
  if (id !== before?._id && accounts.has(id)) throw new ConnectorError('alreadyExists', `"${id}" is taken`)
  const object = { ...content, _id: id }
  if (before) accounts.delete(before._id)
  accounts.set(id, object)
  log.push(before ? { kind: 'UPDATE', id, object, previousId: before._id } : { kind: 'CREATE', id, object })
  return object
}
