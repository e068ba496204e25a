import { describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { parsePatch } from '../../model/patch.ts'
import type { ObjectSet, RequestContext } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import type { Connector } from '../kit/connector.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import { type ConnectorObject, type ConnectorQuery, splitBy } from '../kit/query.ts'
import { type ConnectorWrite, eachWrite } from '../kit/write.ts'
import { openSystem } from './open-system.ts'
import { systemProvider } from './system.ts'

/** What the system layer makes of capabilities, and what it supplies where there are none. */
const admin: RequestContext = { external: false, userId: 'admin', roles: [], transactionId: 't' }

const ann: ConnectorObject = {
  _id: '1',
  cn: 'Ann',
  age: '36',
  member: ['a', 'b'],
  photo: Uint8Array.of(0, 255),
}

async function directory(more: Partial<Connector> = {}) {
  const asked: ConnectorQuery[] = []
  const written: ConnectorWrite[] = []
  const attribute = { type: 'string', multivalued: false, required: false } as const
  const connector: Connector = {
    displayName: 'Directory',
    schema: async () => ({
      person: {
        attributes: [
          { ...attribute, name: 'cn', comparison: 'ignoreCase' },
          { ...attribute, name: 'age' },
        ],
      },
    }),
    async *search(query) {
      asked.push(query)
      yield [ann]
      return { state: 'partial', reason: 'the size limit of the server' }
    },
    readMany: async () => new Map([['1', ann]]),
    async writeMany(_, writes) {
      written.push(...writes)
      return eachWrite(writes, () => '1')
    },
    [Symbol.asyncDispose]: async () => {},
    ...more,
  }
  const kind: ConnectorKind = {
    ...{
      connectorName: 'org.example.Directory',
      displayName: 'Directory',
      bundleName: 'org.example',
      bundleVersion: '1',
    },
    configurationSchema: { type: 'object', properties: {} },
    create: () => connector,
  }
  const properties = {
    name: { type: 'string', nativeName: 'cn' },
    age: { type: 'integer', nativeType: 'string' },
    members: { type: 'array', items: { type: 'string' }, nativeName: 'member' },
    photo: { type: 'string', nativeType: 'JAVA_TYPE_BYTE_ARRAY' },
  }
  const environment = { kinds: [kind], projectFolder: '/', decrypt: async <T>(value: T) => value }
  const system = await openSystem(
    {
      name: 'dir',
      connectorRef: { connectorName: kind.connectorName },
      objectTypes: { person: { nativeType: 'person', properties } },
    },
    environment,
  )
  const resources = router({ system: systemProvider(new Map([['dir', system]]), environment) })
  return { resources, set: resources.objectSet('system/dir/person'), system, asked, written }
}

const answersNames: Partial<Connector> = {
  split: (_, filter) => splitBy(filter, ({ pointer }) => pointer[0] === 'cn'),
}

describe('a list without a value', () => {
  const bob: ConnectorObject = { _id: '2', cn: 'Bob' }
  const reads: Partial<Connector> = {
    async *search() {
      yield [bob]
    },
    readMany: async () => new Map([['2', bob]]),
    async *changesSince() {
      yield { changes: [{ kind: 'UPDATE', id: '2', object: bob }], token: { epoch: 'e', position: 2 } }
    },
    latestToken: async () => ({ epoch: 'e', position: 1 }),
  }
  const givesEmptyLists = () => true

  it.each<[what: string, more: Partial<Connector>, members: unknown]>([
    ['is an empty list where the connector gives such', { givesEmptyLists }, []],
    ['is nothing elsewhere', {}, undefined],
  ])('%s, however the object is read', async (_what, more, members) => {
    const { resources, set, system } = await directory({ ...reads, ...more })
    const expected = { _id: '2', name: 'Bob', ...(members === undefined ? {} : { members }) }
    expect(await resources.read('system/dir/person/2', admin)).toEqual(expected)
    const { result } = await resources.query('system/dir/person', { filter: everything }, admin)
    expect(result).toEqual([expected])
    const pages = system.objects.get('person')?.pages({ filter: everything, pageSize: 10 })
    expect((await pages?.next())?.value).toEqual([expected])
    const changes = set.changes?.since(JSON.stringify({ epoch: 'e', position: 1 }))
    expect((await Array.fromAsync(changes ?? []))[0]).toMatchObject({ object: expected })
  })

  it('is not there where it is not asked for, and single values that are absent stay so', async () => {
    const { resources } = await directory({ ...reads, givesEmptyLists })
    const fields = [['name'], ['age']]
    expect(await resources.read('system/dir/person/2', { ...admin, fields })).toEqual({
      _id: '2',
      name: 'Bob',
    })
  })

  it.each([
    ['members pr', ''],
    ['!(members pr)', '2'],
    ['members eq "a"', ''],
    ['!(members eq "a")', '2'],
  ])('is no value for a filter: %s finds "%s"', async (filter, ids) => {
    const { resources } = await directory({ ...reads, givesEmptyLists })
    const { result } = await resources.query('system/dir/person', { filter: parseFilter(filter) }, admin)
    expect(result.map(({ _id }) => _id).join()).toBe(ids)
  })
})

describe('a system', () => {
  it('says whether its listing is complete', async () => {
    const { system } = await directory()
    const pages = system.objects.get('person')?.pages({ filter: everything, pageSize: 10 })
    expect(await pages?.next()).toMatchObject({ done: false })
    expect(await pages?.next()).toEqual({
      done: true,
      value: { state: 'partial', reason: 'the size limit of the server' },
    })
  })

  it.each([
    ['objects', (set) => set.pages({ filter: everything, pageSize: 1 })],
    ['some of the objects', (set) => set.pages({ filter: parseFilter('name sw "A"'), pageSize: 1 })],
    ['changes', (set) => set.changes?.since('{"epoch":"e","position":1}')],
  ] satisfies [string, (set: ObjectSet) => AsyncIterable<unknown> | undefined][])(
    'ends the reading of its connector when a reader of %s leaves early',
    async (_, read) => {
      let open = 0
      async function* twice<T>(page: T) {
        open++
        try {
          yield page
          yield page
        } finally {
          open--
        }
      }
      const { set } = await directory({
        search: () => twice([ann, ann]),
        latestToken: async () => ({ epoch: 'e', position: 1 }),
        changesSince: () =>
          twice({
            changes: [{ kind: 'CREATE' as const, id: '1', object: ann }],
            token: { epoch: 'e', position: 1 },
          }),
      })
      for await (const _page of read(set) ?? []) {
        expect(open).toBe(1)
        break
      }
      expect(open).toBe(0)
    },
  )

  it('asks the connector for its part of a filter, in its own names, and applies the rest to the types of the configuration', async () => {
    const { set, asked } = await directory(answersNames)
    const found = async (text: string) =>
      (await Array.fromAsync(set.pages({ filter: parseFilter(text), pageSize: 10 }))).flat()
    expect(await found('name eq "ann" and age gt 35')).toHaveLength(1)
    expect(await found('name eq "ann" and age gt 36')).toHaveLength(0)
    expect(await found('name eq "ann" or age gt 36')).toHaveLength(0)
    expect(asked.map(({ filter }) => filter)).toEqual([
      parseFilter('cn eq "ann"'),
      parseFilter('cn eq "ann"'),
      everything,
    ])
  })

  it('compares as the schema says where the connector does, and exactly where it does not', async () => {
    const { set } = await directory(answersNames)
    expect(set.comparison(['name'])).toBeUndefined()
    await Array.fromAsync(set.pages({ filter: everything, pageSize: 10 }))
    expect([set.comparison(['name']), set.comparison(['age'])]).toEqual(['ignoreCase', 'exact'])
    expect((await directory()).set.comparison(['name'])).toBe('exact')
  })

  it('has bytes as Base64', async () => {
    const { resources, written } = await directory()
    expect(await resources.read('system/dir/person/1', admin)).toMatchObject({ photo: 'AP8=', age: 36 })
    await resources.update('system/dir/person/1', undefined, { photo: 'AQI=' }, admin)
    expect(written).toEqual([
      {
        operation: 'update',
        id: '1',
        changes: [{ attribute: 'photo', kind: 'set', value: Uint8Array.of(1, 2) }],
      },
    ])
    const refused = resources.update('system/dir/person/1', undefined, { photo: 'no base64!' }, admin)
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })

  it.each<[what: string, more: Partial<Connector>, change: object]>([
    [
      'as such where the connector takes them',
      { deltas: () => true },
      { kind: 'delta', add: ['c'], remove: ['a'] },
    ],
    ['as the whole list, read a moment before, where not', {}, { kind: 'set', value: ['b', 'c'] }],
  ])('sends single values of a list %s', async (_, more, change) => {
    const { resources, written } = await directory(more)
    const operations = parsePatch([
      { operation: 'add', field: 'members/-', value: 'c' },
      { operation: 'remove', field: 'members', value: 'a' },
    ])
    await resources.patch('system/dir/person/1', undefined, operations, admin)
    expect(written).toEqual([{ operation: 'update', id: '1', changes: [{ attribute: 'member', ...change }] }])
  })
})

describe('what was written', () => {
  it.each([
    ['is read again for whoever looks at it', false, { _id: '1', name: 'Ann' }, 1],
    ['is not read again where its id suffices', true, { _id: '1' }, 0],
  ])('%s', async (_what, idsSuffice, expected, readings) => {
    let reads = 0
    const readMany: Partial<Connector>['readMany'] = async () => {
      reads++
      return new Map([['1', { _id: '1', cn: 'Ann' }]])
    }
    const { set } = await directory({ readMany })
    const write = { operation: 'create', id: undefined, content: { name: 'Ann' } } as const
    expect(await set.writeMany([write], admin, undefined, idsSuffice)).toEqual([
      { ok: true, object: expected },
    ])
    expect(reads).toBe(readings)
  })
})
