import { describe, expect, it } from 'vitest'
import {
  type Capabilities,
  type Connector,
  ConnectorError,
  type ConnectorObject,
  type ConnectorWrite,
  type ConnectorWriteOutcome,
  type ContractFacts,
  changed,
  compareBy,
  compileFilter,
  contractCases,
  everything,
  type Filter,
  type JsonObject,
  type Lifecycle,
  Secret,
  Unreadable,
  type Value,
} from '../src/connector.ts'
import { comparisonOperators } from '../src/model/filter/filter.ts'
import { type Memory, memoryConnector, type Reads } from './support/memory-connector.ts'

/** Proves that the contract can fail: for each of its laws a connector with one flaw, and the case that catches it. */

const objectClass = '__ACCOUNT__'

/** The memory connector with everything else that a connector may offer. */
type Sound = Lifecycle & Omit<Capabilities, 'runScript' | 'discover' | 'locate' | keyof Reads> & Reads

function sound(memory: Memory): Sound {
  const plain = memoryConnector(memory)
  const all = async (filter: Filter, fields?: readonly string[]) => {
    const matches = compileFilter(filter)
    const found = (await Array.fromAsync(plain.search({ objectClass, filter: everything }))).flat()
    const kept = found.filter((object) => matches(textsOf(object)))
    const parts = await plain.readMany(
      objectClass,
      kept.map(({ _id }) => _id),
      fields,
    )
    return [...parts.values()]
  }
  return {
    ...plain,
    test: async () => {},
    exchangesIds: () => true,
    writeMany: (type, writes, signal) =>
      writes.length > 1 && writes.every(setsLogin)
        ? exchanged(plain, memory, writes)
        : plain.writeMany(type, writes, signal),
    held: (_, __, value) => (Array.isArray(value) && value.length === 0 ? null : value),
    ordered: () => true,
    refusals: async (_, writes) => writes.map(unknownIn),
    split: (_, filter) => ({ native: filter, rest: everything }),
    async *search(query, signal) {
      signal?.throwIfAborted()
      if (query.objectClass !== objectClass)
        throw new ConnectorError('unknownClass', 'There is no such class')
      const found = await all(query.filter, query.fields)
      const size = query.pageSize ?? 500
      for (let start = 0; start < found.length; start += size) yield found.slice(start, start + size)
    },
    sorts: () => true,
    async page({ filter, fields, pageSize, offset, cookie, sortKeys, total }) {
      const compare = compareBy(sortKeys)
      const found = (await all(filter, fields)).sort((a, b) => compare(textsOf(a), textsOf(b)))
      const after = cookie === undefined ? undefined : placeIn(cookie)
      const rest = found.filter((object) => !after || compare(textsOf(object), after) > 0).slice(offset)
      const objects = rest.slice(0, pageSize)
      const last = objects.at(-1)
      return {
        objects,
        cookie: last && rest.length > pageSize ? JSON.stringify(textsOf(last)) : null,
        ...(total && { total: found.length }),
      }
    },
    async resolveUsername(_, username) {
      if (memory.accounts.has(username)) return username
      throw new ConnectorError('unknownId', 'There is no such account')
    },
  }
}

type Update = Extract<ConnectorWrite, { operation: 'update' }>

function setsLogin(write: ConnectorWrite): write is Update {
  return write.operation === 'update' && write.changes.some(({ attribute }) => attribute === 'login')
}

function loginIn({ changes }: Update): unknown {
  return changes.flatMap((one) => (one.attribute === 'login' && one.kind === 'set' ? [one.value] : []))[0]
}

/** All leave their logins before one of them comes under its new one; if one cannot, none has left. */
async function exchanged(
  plain: ReturnType<typeof memoryConnector>,
  { accounts }: Memory,
  writes: readonly Update[],
): Promise<readonly ConnectorWriteOutcome[]> {
  const before = [...accounts]
  const drafts = writes.map(({ id, changes }): ConnectorWrite => {
    const { _id, ...attributes } = changed(accounts.get(id) ?? { _id: id }, changes)
    return { operation: 'create', attributes }
  })
  for (const { id } of writes) accounts.delete(id)
  const outcomes = await plain.writeMany(objectClass, drafts)
  if (outcomes.every(({ ok }) => ok)) return outcomes
  accounts.clear()
  for (const [id, account] of before) accounts.set(id, account)
  const error = new ConnectorError('alreadyExists', 'the others stay as they are')
  return outcomes.map((outcome) => (outcome.ok ? { ok: false, error } : outcome))
}

function unknownIn(write: ConnectorWrite): Error | undefined {
  if (write.operation === 'delete') return undefined
  const names =
    write.operation === 'create'
      ? Object.keys(write.attributes)
      : write.changes.map((change) => change.attribute)
  const isUnknown = names.includes('shoeSize')
  return isUnknown ? new ConnectorError('schemaViolation', 'There is no shoe size') : undefined
}

function placeIn(cookie: string): JsonObject {
  try {
    return JSON.parse(cookie) as JsonObject
  } catch {
    throw new ConnectorError('unknownCookie', 'The cookie is not one of this query')
  }
}

function textsOf(object: ConnectorObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

function factsOf(make: (memory: Memory) => Connector): ContractFacts {
  return {
    name: 'a connector',
    objectClass,
    async open() {
      const memory: Memory = { epoch: 'first', accounts: new Map(), log: [] }
      const damage = async (id: string) => void damaged.set(memory, id)
      return { connector: make(memory), reopen: async () => make(memory), damage, close: async () => {} }
    },
    account: (n) => ({ login: `u${n}`, mail: `u${n}@example.com`, password: new Secret(`secret ${n}`) }),
    attribute: 'mail',
    unique: 'login',
    unknown: 'shoeSize',
    multivalued: 'groups',
    bytes: 'photo',
    rename: (n) => ({ login: `u${n}` }),
    credentials: (n) => ({ username: `u${n}`, password: `secret ${n}` }),
  }
}

/** Which account of a memory cannot be read. */
const damaged = new WeakMap<Memory, string>()

/** The same connector, to a system that can be damaged. */
function damageable(connector: Sound, memory: Memory): Connector {
  const seen = (object: ConnectorObject) =>
    object._id === damaged.get(memory)
      ? new Unreadable(object._id, new ConnectorError('unreadable', 'It is damaged'))
      : object
  return {
    ...connector,
    async *search(query, signal) {
      for await (const page of connector.search(query, signal)) yield page.map(seen)
    },
    async readMany(...given) {
      const objects = await connector.readMany(...given)
      return new Map(Array.from(objects, ([id, object]) => [id, seen(object)]))
    },
  }
}

/** Replaces one capability. */
type Flaw = (sound: Sound, memory: Memory) => Partial<Capabilities>

/** Every object that is read, changed on its way. */
function mapped(change: (object: ConnectorObject) => ConnectorObject): Flaw {
  return (sound) => ({
    async *search(query, signal) {
      for await (const page of sound.search(query, signal)) yield page.map(change)
    },
    async readMany(...given) {
      const objects = await sound.readMany(...given)
      return new Map(Array.from(objects, ([id, object]) => [id, change(object)]))
    },
  })
}

function withValue(name: string, change: (value: Value) => Value): Flaw {
  return mapped((object) =>
    object[name] === undefined ? object : { ...object, [name]: change(object[name] ?? null) },
  )
}

/** Every write, changed on its way. */
function writing(change: (write: ConnectorWrite, memory: Memory) => ConnectorWrite): Flaw {
  return (sound, memory) => ({
    writeMany: (type, writes, signal) =>
      sound.writeMany(
        type,
        writes.map((write) => change(write, memory)),
        signal,
      ),
  })
}

/** A limit that names no instant is compared as text. */
function withoutZone(filter: Filter): Filter {
  if (filter.kind !== 'compare' || typeof filter.value !== 'string') return filter
  return { ...filter, value: filter.value.replace(/Z$/, '') }
}

const tick = () => new Promise((resolve) => setImmediate(resolve))

const flaws: readonly (readonly [law: string, flaw: string, make: Flaw])[] = [
  [
    'passes its own test when the system is there',
    'a test that fails',
    () => ({
      test: async () => {
        throw new Error('no')
      },
    }),
  ],
  [
    'has a schema that knows the attributes it returns, and the id is none of them',
    'a schema without an attribute',
    () => ({
      schema: async () => ({
        [objectClass]: {
          attributes: [{ name: 'login', type: 'string', multivalued: false, required: true, unique: true }],
        },
      }),
    }),
  ],
  [
    'gives what the schema calls secret as a Secret, or not at all',
    'passwords as text',
    withValue('password', () => 'text'),
  ],
  [
    'finds nothing in an empty system',
    'a ghost',
    () => ({
      async *search() {
        yield [{ _id: 'ghost' }]
      },
    }),
  ],
  [
    'reads and finds what it created, in one stable order',
    'an order that changes',
    (sound) => {
      let round = 0
      return {
        async *search(query) {
          const pages = await Array.fromAsync(sound.search({ ...query, pageSize: 500 }))
          const all = round++ % 2 ? pages.flat().toReversed() : pages.flat()
          for (let start = 0; start < all.length; start += query.pageSize ?? 500)
            yield all.slice(start, start + (query.pageSize ?? 500))
        },
      }
    },
  ],
  [
    'reads by id the same objects that it finds, and leaves out missing ones',
    'readings that lack an attribute',
    (sound) => ({
      readMany: async (type, ids) => sound.readMany(type, ids, ['login']),
    }),
  ],
  [
    'returns only the attributes asked for, and always the id',
    'fields that are ignored',
    (sound) => ({
      readMany: (type, ids, _fields, signal) => sound.readMany(type, ids, undefined, signal),
    }),
  ],
  ['counts what there is', 'a wrong count', () => ({ count: async () => 2 })],
  [
    'says that the listing of a whole system is complete',
    'a listing that is always partial',
    (sound) => ({
      async *search(query) {
        yield* sound.search(query)
        return { state: 'partial', reason: 'as ever' }
      },
    }),
  ],
  [
    'gives an object that cannot be read in its place: it is not absent',
    'objects that are left out because they cannot be read',
    (sound, memory) => ({
      async *search(query, signal) {
        const isSound = ({ _id }: ConnectorObject) => _id !== damaged.get(memory)
        for await (const page of sound.search(query, signal)) yield page.filter(isSound)
      },
    }),
  ],
  [
    'refuses an object class that the system does not have',
    'unknown classes taken for empty ones',
    (sound) => ({
      async *search(query) {
        if (query.objectClass === objectClass) yield* sound.search(query)
      },
    }),
  ],
  [
    'can be left in the middle of searches, and used again',
    'a connection lost with each search left',
    (sound) => {
      let left = 10
      return {
        async *search(query) {
          if (left === 0) throw new ConnectorError('busy', 'no connection is left')
          left--
          yield* sound.search(query)
          left++
        },
      }
    },
  ],
  [
    'stops a search and a reading whose signal is aborted',
    'a signal that is ignored',
    (sound) => ({ search: (query) => sound.search(query) }),
  ],
  [
    'answers many readings at the same time',
    'one connection and no queue',
    (sound) => {
      let isBusy = false
      return {
        async readMany(...given) {
          if (isBusy) throw new ConnectorError('busy', 'in use')
          isBusy = true
          await tick()
          isBusy = false
          return sound.readMany(...given)
        },
      }
    },
  ],
  ...comparisonOperators.map(
    (operator) =>
      [
        `finds what \`${operator}\` says`,
        `\`${operator}\` taken for everything`,
        (sound: Sound) =>
          ({
            search: (query, signal) =>
              sound.search(
                {
                  ...query,
                  filter:
                    query.filter.kind === 'compare' && query.filter.operator === operator
                      ? everything
                      : query.filter,
                },
                signal,
              ),
          }) satisfies Partial<Capabilities>,
      ] as const,
  ),
  [
    'finds what `pr`, `and`, `or` and `not` say',
    '`not` left out',
    (sound) => ({
      search: (query, signal) =>
        sound.search(
          { ...query, filter: query.filter.kind === 'not' ? query.filter.filter : query.filter },
          signal,
        ),
    }),
  ],
  [
    'orders date-times with a zone by the instants that they name',
    'texts compared as texts',
    (sound) => ({
      search: (query, signal) => sound.search({ ...query, filter: withoutZone(query.filter) }, signal),
    }),
  ],
  [
    'takes the value of a filter as it is, with any characters',
    'a star that stands for anything',
    (sound) => ({
      search: (query, signal) =>
        sound.search(
          {
            ...query,
            filter: query.filter.kind === 'compare' && query.filter.value === '*' ? everything : query.filter,
          },
          signal,
        ),
    }),
  ],
  [
    'pages through everything, each object once, with no more than a page at a time',
    'pages that overlap',
    (sound) => ({
      page: async (query) =>
        sound
          .page({ ...query, pageSize: query.pageSize + 1 })
          .then((page) => ({ ...page, objects: page.objects.slice(0, query.pageSize) })),
    }),
  ],
  [
    'pages on without loss or repetition while objects come and go',
    'a cookie that is a number of objects',
    (sound) => ({
      async page(query) {
        const done = Number(query.cookie ?? 0)
        const { cookie: _, ...asked } = query
        const page = await sound.page({ ...asked, offset: done + query.offset })
        return { ...page, cookie: page.cookie === null ? null : String(done + page.objects.length) }
      },
    }),
  ],
  [
    'says how many there are on all pages, where it says it',
    'the total of a page',
    (sound) => ({
      page: async (query) => sound.page(query).then((page) => ({ ...page, total: page.objects.length })),
    }),
  ],
  [
    'leaves out as many objects as the offset says',
    'an offset that is ignored',
    (sound) => ({ page: (query) => sound.page({ ...query, offset: 0 }) }),
  ],
  [
    'gives the orders that it claims',
    'sort keys that are ignored',
    (sound) => ({ page: (query) => sound.page({ ...query, sortKeys: [] }) }),
  ],
  [
    'refuses a cookie that it did not give',
    'any cookie taken for the first page',
    (sound) => ({
      page: ({ cookie, ...query }) => sound.page(cookie?.startsWith('{') ? { ...query, cookie } : query),
    }),
  ],
  [
    'says beforehand under which id an object will stand, where it can',
    'a wrong id foreseen',
    () => ({ idOf: () => 'foreseen' }),
  ],
  [
    'changes the attributes that an update names and leaves the others',
    'an update that replaces the object',
    (sound, { accounts }) => ({
      async writeMany(type, writes) {
        for (const write of writes)
          if (write.operation === 'update') accounts.set(write.id, { _id: write.id, login: write.id })
        return sound.writeMany(type, writes)
      },
    }),
  ],
  [
    'clears an attribute: then it is absent',
    'an empty text for no value',
    writing((write) =>
      write.operation === 'update'
        ? {
            ...write,
            changes: write.changes.map((change) =>
              change.kind === 'clear' ? { ...change, kind: 'set', value: '' } : change,
            ),
          }
        : write,
    ),
  ],
  [
    'deletes',
    'a delete that only says so',
    (sound) => ({
      writeMany: async (type, writes) =>
        writes[0]?.operation === 'delete' ? [{ ok: true, id: writes[0].id }] : sound.writeMany(type, writes),
    }),
  ],
  [
    'gives outcomes at the place of their write; a failure does not stop the others',
    'a failure that ends the page',
    (sound) => ({
      async writeMany(type, writes) {
        const outcomes = []
        let failure: Error | undefined
        for (const write of writes) {
          const [outcome] = failure
            ? [{ ok: false as const, error: failure }]
            : await sound.writeMany(type, [write])
          if (outcome && !outcome.ok) failure = outcome.error
          if (outcome) outcomes.push(outcome)
        }
        return outcomes
      },
    }),
  ],
  [
    'says beforehand which writes it will refuse, and writes nothing then',
    'no refusal foreseen',
    () => ({ refusals: async (_, writes) => writes.map(() => undefined) }),
  ],
  [
    'applies the writes of a page in order',
    'a page in another order',
    (sound) => ({
      writeMany: async (type, writes) => (await sound.writeMany(type, writes.toReversed())).toReversed(),
    }),
  ],
  [
    'refuses to give an object the unique value of another',
    'unique values that are not',
    (sound, { accounts }) => ({
      async writeMany(type, writes) {
        for (const write of writes)
          for (const change of write.operation === 'update' ? write.changes : [])
            if (change.attribute === 'login' && change.kind === 'set') accounts.delete(String(change.value))
        return sound.writeMany(type, writes)
      },
    }),
  ],
  [
    'writes pages that come at the same time as if they came one after the other',
    'a page written over another',
    (sound, { accounts }) => ({
      async writeMany(type, writes) {
        const before = [...accounts]
        await tick()
        accounts.clear()
        for (const [id, account] of before) accounts.set(id, account)
        return sound.writeMany(type, writes)
      },
    }),
  ],
  [
    'writes nothing of a page whose signal is aborted',
    'a signal that comes too late',
    (sound) => ({ writeMany: (type, writes) => sound.writeMany(type, writes) }),
  ],
  [
    'renames: the object stands under the id that the outcome says, with all else as it was',
    'an object left under its old name',
    (sound, { accounts }) => ({
      async writeMany(type, writes) {
        const before = new Map(accounts)
        const outcomes = await sound.writeMany(type, writes)
        for (const write of writes)
          if (write.operation === 'update') accounts.set(write.id, before.get(write.id) ?? { _id: write.id })
        return outcomes
      },
    }),
  ],
  [
    'holds what a plain map holds after any pages of writes',
    'every tenth update lost',
    (() => {
      let count = 0
      return writing((write) =>
        write.operation === 'update' && ++count % 10 === 0 ? { ...write, changes: [] } : write,
      )
    })(),
  ],
  [
    'swaps and rotates ids within a page, or refuses each of these writes and changes nothing',
    'a rotation that is done in part',
    (sound) => ({
      exchangesIds: () => false,
      async writeMany(type, writes, signal) {
        const [first, ...others] = writes
        if (!first || writes.length < 3 || !writes.every(setsLogin))
          return sound.writeMany(type, writes, signal)
        const parked = { ...first, changes: [{ attribute: 'login', kind: 'set', value: 'parked' }] } as const
        const outcomes = [...(await sound.writeMany(type, [parked]))]
        for (const write of others.toReversed()) outcomes.push(...(await sound.writeMany(type, [write])))
        return outcomes
      },
    }),
  ],
  [
    'hands ids on within a page whatever the order of its writes, if it exchanges them',
    'ids that must be free at their turn',
    (sound) => ({
      async writeMany(type, writes, signal) {
        if (!writes.some((write) => setsLogin(write) && loginIn(write) === 'u9'))
          return sound.writeMany(type, writes, signal)
        const outcomes = []
        for (const write of writes) outcomes.push(...(await sound.writeMany(type, [write])))
        return outcomes
      },
    }),
  ],
  [
    'refuses every write of an exchange of ids of which one is refused, if it exchanges them',
    'unknown attributes left out of an exchange',
    writing((write) =>
      setsLogin(write)
        ? { ...write, changes: write.changes.filter(({ attribute }) => attribute !== 'shoeSize') }
        : write,
    ),
  ],
  [
    'keeps texts as they are, with any characters',
    'texts that are put into quotes',
    withValue('mail', (value) => String(value).replaceAll("'", "''")),
  ],
  [
    'keeps every byte of bytes',
    'bytes taken for text',
    withValue('photo', (value) =>
      value instanceof Uint8Array
        ? new Uint8Array(Buffer.from(Buffer.from(value).toString('utf8'), 'utf8'))
        : value,
    ),
  ],
  [
    'keeps several values of an attribute, always as a list, and none as an absent one',
    'a single value that is no list',
    withValue('groups', (value) => (Array.isArray(value) && value.length === 1 ? value[0] : value)),
  ],
  [
    'holds values in the form that it foresees',
    'another form foreseen',
    (sound) => ({
      held: (type, name, value) => (typeof value === 'string' ? value.trim() : sound.held(type, name, value)),
    }),
  ],
  [
    'adds and removes single values, and leaves the others; what is done already does no harm',
    'deltas that replace all values',
    writing((write) =>
      write.operation === 'update'
        ? {
            ...write,
            changes: write.changes.map((change) =>
              change.kind === 'delta'
                ? { attribute: change.attribute, kind: 'set', value: change.add }
                : change,
            ),
          }
        : write,
    ),
  ],
  [
    'authenticates the right password and nothing else',
    'an empty password that is taken for anonymous',
    (sound) => ({
      authenticate: async (type, username, password) =>
        password.reveal() === '' ? username : sound.authenticate(type, username, password),
    }),
  ],
  [
    'sets a password: the new one is right from then on, the old one wrong',
    'a password that is not set',
    writing((write) =>
      write.operation === 'update'
        ? { ...write, changes: write.changes.filter(({ attribute }) => attribute !== 'password') }
        : write,
    ),
  ],
  [
    'finds the account of a login name',
    'any login name taken for an id',
    () => ({ resolveUsername: async (_, username) => username }),
  ],
  [
    'prints no password, neither in an object nor in an error',
    'an error with the password in it',
    (sound) => ({
      async authenticate(type, username, password) {
        try {
          return await sound.authenticate(type, username, password)
        } catch {
          throw new ConnectorError(
            'wrongCredentials',
            `${username} has another password than ${password.reveal()}`,
          )
        }
      },
    }),
  ],
  [
    'reports what was created, changed and deleted since the present',
    'deletions that are not told',
    (sound) => ({
      async *changesSince(type, token) {
        for await (const page of sound.changesSince(type, token))
          yield { ...page, changes: page.changes.filter(({ kind }) => kind !== 'DELETE') }
      },
    }),
  ],
  [
    'reports nothing where nothing has changed',
    'the last change told again',
    (sound) => ({
      changesSince: (type, token) =>
        sound.changesSince(type, token && { ...token, position: Math.max(0, Number(token.position) - 1) }),
    }),
  ],
  [
    'reports everything that there is, without a token',
    'no token taken for the present',
    (sound) => ({
      async *changesSince(type, token) {
        if (token) yield* sound.changesSince(type, token)
      },
    }),
  ],
  [
    'ends with a token from which it goes on',
    'no token at the end',
    (sound) => ({
      async *changesSince(type, token) {
        for await (const page of sound.changesSince(type, token)) yield { ...page, token: null }
      },
    }),
  ],
  [
    'goes on from any page with what that page did not report',
    'a token ahead of its page',
    (sound) => ({
      async *changesSince(type, token) {
        for await (const { changes, token: end } of sound.changesSince(type, token))
          for (const change of changes) yield { changes: [change], token: end }
      },
    }),
  ],
  [
    'reports again what was left in the middle',
    'changes that are told once',
    (sound) => {
      let isTold = false
      return {
        async *changesSince(type, token) {
          if (isTold) return
          isTold = true
          yield* sound.changesSince(type, token)
        },
      }
    },
  ],
  [
    'goes on after a restart, with a token that was stored as text',
    'tokens of this process only',
    (sound) => {
      const epoch = String(Math.random())
      return {
        latestToken: async () => ({ ...(await sound.latestToken(objectClass)), epoch }),
        async *changesSince(type, token) {
          if (token && token.epoch !== epoch) throw new ConnectorError('staleToken', 'unknown')
          yield* sound.changesSince(type, token && { ...token, epoch: 'first' })
        },
      }
    },
  ],
  [
    'refuses a token of another epoch: the system was restored or replaced',
    'an epoch that is ignored',
    (sound) => ({
      changesSince: (type, token) => sound.changesSince(type, token && { ...token, epoch: 'first' }),
    }),
  ],
  [
    'reports a rename so that a copy follows it',
    'a rename told as a new object',
    (sound) => ({
      async *changesSince(type, token) {
        for await (const page of sound.changesSince(type, token))
          yield {
            ...page,
            changes: page.changes.map((change) =>
              change.kind === 'DELETE' ? change : { kind: change.kind, id: change.id, object: change.object },
            ),
          }
      },
    }),
  ],
]

const soundCases = contractCases(factsOf((memory) => damageable(sound(memory), memory)))

describe('the contract', () => {
  it.each(soundCases)('is kept by a sound connector: $name', async ({ run }) => {
    expect(await run()).toBe('kept')
  })

  it('has a connector with a flaw for each of its cases', () => {
    expect(flaws.map(([law]) => law)).toEqual(soundCases.map(({ name }) => name))
  })

  it.each(flaws)('“%s” catches %s', async (law, _, make) => {
    const cases = contractCases(
      factsOf((memory) => {
        const connector = sound(memory)
        return { ...damageable(connector, memory), ...make(connector, memory) }
      }),
    )
    await expect(cases.find(({ name }) => name === law)?.run()).rejects.toThrow(Error)
  })
})
