import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Json, JsonObject } from '../../model/json.ts'
import { isSealed } from '../../model/secrecy.ts'
import { temporaryFolder } from '../../testing/folder.ts'
import { csvKind } from '../csv/kind.ts'
import type { Connector } from '../kit/connector.ts'
import type { ConnectorKind } from '../kit/kind.ts'
import { openSystem } from './open-system.ts'

/** Content as a system would give it back (engine §4.3). */
const sealed = { $crypto: { type: 'x' } }

async function held(
  kind: ConnectorKind,
  declared: JsonObject,
  [wanted, before]: readonly [Json, Json | undefined],
  settings: JsonObject = {},
  file?: string,
) {
  using folder = temporaryFolder()
  if (file !== undefined) writeFileSync(folder.file('people.csv'), file)
  const properties = { v: { type: 'string', ...declared }, uid: { type: 'string', nativeName: '__UID__' } }
  const configuration = {
    ...{ name: 'dir', connectorRef: { connectorName: kind.connectorName } },
    ...{
      configurationProperties: settings,
      objectTypes: { account: { nativeType: '__ACCOUNT__', properties } },
    },
  }
  const decrypt = async (value: Json) => (isSealed(value) ? 'plain' : value)
  await using system = await openSystem(configuration, { kinds: [kind], projectFolder: folder.path, decrypt })
  const set = system.objects.get('account')
  const existing = { _id: '1', other: 1, ...(before === undefined ? {} : { v: before }) }
  return (await set?.asHeld?.([{ content: { ...existing, v: wanted }, existing }]))?.[0]
}

const csv = { csvFile: 'people.csv', multivaluedColumns: ['m'] }
const list = { type: 'array', items: { type: 'string' }, nativeName: 'm' }

describe('what a CSV file holds', () => {
  it.each<
    [what: string, declared: JsonObject, wanted: Json, before: Json | undefined, after: Json | undefined]
  >([
    ['a number as text', {}, 42, '42', '42'],
    ['a boolean as text', {}, true, 'true', 'true'],
    ['trimmed text', {}, ' Ann ', 'Ann', 'Ann'],
    ['another text trimmed', {}, ' Ann ', 'Bob', 'Ann'],
    ['nothing for a blank', {}, ' ', undefined, undefined],
    ['nothing for an empty text', {}, '', undefined, undefined],
    ['no value any more', {}, '', 'Ann', null],
    ['one value of one', {}, ['Ann'], 'Ann', 'Ann'],
    ['what is refused, for the write to say', {}, ['a', 'b'], 'a', ['a', 'b']],
    ['an object, for the write to say', {}, { a: 1 }, 'a', { a: 1 }],
    ['the type of the configuration', { type: 'integer' }, '042', 42, 42],
    ['the type of the configuration in another form', { type: 'boolean' }, 'TRUE', true, true],
    ['nothing for an empty list', list, [], undefined, undefined],
    ['no values any more', list, [], ['a'], null],
    ['a list of one', list, 'a', ['a'], ['a']],
    ['a list without blanks', list, ['a ', ''], ['a'], ['a']],
    ['a list in its order', list, ['b', 'a'], ['a', 'b'], ['a', 'b']],
    ['another list as it comes', list, ['b', 'a'], ['a', 'b', 'b'], ['b', 'a']],
    ['what is never sent', { flags: ['NOT_UPDATEABLE'] }, 'x', 'a', 'a'],
    ['a password that nothing clears', { nativeName: '__PASSWORD__' }, null, undefined, undefined],
    ['a password, of which nothing is known', { nativeName: '__PASSWORD__' }, 'x', undefined, 'x'],
    ['the plaintext of an encrypted value', {}, sealed, 'plain', 'plain'],
    ['another encrypted value as it is', {}, sealed, 'other', sealed],
  ])('is %s', async (_what, declared, wanted, before, after) => {
    const found = await held(csvKind, declared, [wanted, before], csv)
    expect(found?.v).toEqual(after)
    expect(found).toMatchObject({ _id: '1', other: 1 })
  })
})

describe('what no reading shows', () => {
  const hidden = { nativeName: 'hidden', flags: ['NOT_RETURNED_BY_DEFAULT'] }
  const password = { nativeName: '__PASSWORD__' }
  const file = 'uid,m,hidden,password\n1,,here,s3cret\n'

  it.each<[what: string, declared: JsonObject, wanted: Json, after: Json | undefined]>([
    ['the password that is there', password, 's3cret', undefined],
    ['another password', password, 'other', 'other'],
    ['no password', password, null, undefined],
    ['what is returned only if it is named', hidden, ' here ', undefined],
    ['another value of it', hidden, 'there', 'there'],
    ['no value of it', hidden, '', ''],
    ['null, which clears only what is seen', hidden, null, undefined],
    ['what cannot be read', { ...hidden, nativeName: 'm' }, '', undefined],
  ])('is compared where the connector can read it: %s', async (_what, declared, wanted, after) => {
    expect((await held(csvKind, declared, [wanted, undefined], csv, file))?.v).toEqual(after)
  })
})

describe('what another system holds', () => {
  const kindOf = (more: Partial<Connector>): ConnectorKind => {
    const connector: Connector = { displayName: 'x', [Symbol.asyncDispose]: async () => {}, ...more }
    const about = { displayName: 'x', bundleName: 'org.example', bundleVersion: '1' }
    const configurationSchema = { type: 'object', properties: {} } as const
    return { connectorName: 'org.example.X', ...about, configurationSchema, create: () => connector }
  }
  it.each<
    [what: string, more: Partial<Connector>, wanted: Json, before: Json | undefined, after: Json | undefined]
  >([
    ['as it is given, where the connector says nothing', {}, 'Ann ', 'Ann', 'Ann '],
    ['nothing, where creates leave it out', {}, '', undefined, undefined],
    ['an empty text, where there was another', {}, '', 'Ann', ''],
    ['as the connector says', { held: (_, __, value) => String(value).toLowerCase() }, 'ANN', 'ann', 'ann'],
    ['in any order', {}, ['b', 'a'], ['a', 'b'], ['a', 'b']],
    ['in the order that the connector declares', { ordered: () => true }, ['b', 'a'], ['a', 'b'], ['b', 'a']],
  ])('is held %s', async (_what, more, wanted, before, after) => {
    const declared = Array.isArray(wanted) ? list : {}
    expect((await held(kindOf(more), declared, [wanted, before]))?.v).toEqual(after)
  })

  const givesEmptyLists = () => true
  it.each<[what: string, more: Partial<Connector>, wanted: Json, before: Json | undefined, after: Json]>([
    ['null', { givesEmptyLists }, null, [], []],
    ['an empty text', { givesEmptyLists }, '', [], []],
    ['an empty list', { givesEmptyLists }, [], [], []],
    ['a list of nothing', { givesEmptyLists, held: () => null }, [''], [], []],
    ['null, after some', { givesEmptyLists }, null, ['a'], []],
    ['an empty list, after some', { givesEmptyLists }, [], ['a'], []],
    ['null in a system that says nothing of it, after some', {}, null, ['a'], null],
  ])('is an empty list where a list has no value: %s', async (_what, more, wanted, before, after) => {
    expect((await held(kindOf(more), list, [wanted, before]))?.v).toEqual(after)
  })
})
