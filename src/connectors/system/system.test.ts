import { describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { parsePatch } from '../../model/patch.ts'
import { parsePointer } from '../../model/pointer.ts'
import { parseSortKeys } from '../../model/sort.ts'
import type { RequestContext } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { csvKind } from '../csv/kind.ts'
import { temporaryCsv } from '../csv/testing/temporary.ts'
import { openSystem } from './open-system.ts'
import { systemProvider } from './system.ts'

const admin: RequestContext = { external: false, userId: 'admin', roles: [], transactionId: 't' }

const properties: JsonObject = {
  login: { type: 'string', nativeName: '__NAME__', required: true, flags: ['NOT_UPDATEABLE'] },
  secret: { type: 'string', nativeName: '__PASSWORD__', nativeType: 'JAVA_TYPE_GUARDEDSTRING' },
  familyName: { type: 'string', nativeName: 'sn' },
  age: { type: 'integer' },
  active: { type: 'boolean' },
  mails: { type: 'array', items: { type: 'string' } },
  hidden: { type: 'string', flags: ['NOT_READABLE'] },
  rare: { type: 'string', flags: ['NOT_RETURNED_BY_DEFAULT'] },
  once: { type: 'string', flags: ['NOT_UPDATEABLE'] },
  later: { type: 'string', flags: ['NOT_CREATABLE'] },
}

const header = 'uid,password,sn,age,active,mails,hidden,rare,once,later\n'

/** Decrypts what tests call encrypted, and leaves hashes alone, as the real one does. */
async function decrypt(value: Json): Promise<Json> {
  return JSON.parse(JSON.stringify(value), (_, member) => member?.$crypto?.plain ?? member)
}

async function hr(rows = '', configuration: JsonObject = {}) {
  const csv = await temporaryCsv(header + rows)
  const logged: string[] = []
  const environment = {
    kinds: [csvKind],
    projectFolder: csv.folder,
    decrypt,
    log: (text: string) => logged.push(text),
  }
  const system = await openSystem(
    {
      name: 'hr',
      connectorRef: { connectorName: csvKind.connectorName, bundleVersion: '[1.4,2)' },
      configurationProperties: { csvFile: 'people.csv', multivaluedColumns: ['mails'] },
      objectTypes: { account: { nativeType: '__ACCOUNT__', properties } },
      ...configuration,
    },
    environment,
  )
  const resources = router({ system: systemProvider(new Map([['hr', system]]), environment) })
  return {
    csv,
    system,
    resources,
    logged,
    async [Symbol.asyncDispose]() {
      await system[Symbol.asyncDispose]()
      await csv[Symbol.asyncDispose]()
    },
  }
}

const ada = 'ada,pw,King,36,true,a@x;b@x,h,r,o,l\n'
const bob = 'bob,pw,Bo,,false,,,,,\n'

describe('reading an object of a system', () => {
  it('gives the declared, readable properties in their types; what has no value is absent', async () => {
    await using given = await hr(ada + bob)
    expect(await given.resources.read('system/hr/account/ada', admin)).toEqual({
      _id: 'ada',
      login: 'ada',
      familyName: 'King',
      age: 36,
      active: true,
      mails: ['a@x', 'b@x'],
      once: 'o',
      later: 'l',
    })
    expect(await given.resources.read('system/hr/account/bob', admin)).toEqual({
      _id: 'bob',
      login: 'bob',
      familyName: 'Bo',
      active: false,
    })
  })

  it('gives what is not returned by default if it is asked for, and secrets never', async () => {
    await using given = await hr(ada)
    const fields = ['rare', 'age', 'secret', 'hidden'].map(parsePointer)
    expect(await given.resources.read('system/hr/account/ada', { ...admin, fields })).toEqual({
      _id: 'ada',
      rare: 'r',
      age: 36,
    })
  })

  it.each([
    ['system/hr/account/nobody', 'NOT_FOUND'],
    ['system/hr/group/ada', 'NOT_FOUND'],
    ['system/nothing/account/ada', 'NOT_FOUND'],
    ['system/hr', 'NOT_IMPLEMENTED'],
    ['system/hr/account', 'NOT_IMPLEMENTED'],
  ])('of %s is %s', async (path, code) => {
    await using given = await hr(ada)
    await expect(given.resources.read(path, admin)).rejects.toMatchObject({ code })
  })

  it('fails where a value is not of the declared type, naming object and property', async () => {
    await using given = await hr('ada,,King,old,,,,,,\n')
    await expect(given.resources.read('system/hr/account/ada', admin)).rejects.toMatchObject({
      code: 'UNREADABLE',
      message: expect.stringMatching(
        /people\.csv, line 2, column 4 \(age\): "ada" cannot be read: age: "old" is not of the type integer$/,
      ),
      detail: { line: 2, column: 4, property: 'age', system: 'hr', uid: 'ada' },
    })
  })
})

describe('a query of a system with objects that cannot be read', () => {
  const rows = 'ada,,King,old,,,,,,\nbob,,Lee,2,,,,,,\ncid,,King,90071992547409931,,,,,,\n'
  const found = async (filter: string, extra = {}) => {
    await using given = await hr(rows)
    const query = { filter: parseFilter(filter), ...extra }
    const { result, unreadable = [] } = await given.resources.query('system/hr/account', query, admin)
    return [result.map(({ _id }) => _id).join(), unreadable.map(({ _id }) => _id).join()]
  }

  it.each<[what: string, filter: string, extra: object, ids: string, unreadable: string]>([
    ['gives the others', 'true', {}, 'bob', 'ada,cid'],
    ['in pages', 'true', { pageSize: 2 }, 'bob', 'ada'],
    [
      'in sorted pages',
      'true',
      { pageSize: 5, sortKeys: [{ pointer: ['familyName'], descending: true }] },
      'bob',
      'ada,cid',
    ],
    [
      'gives them where what they lack is not asked for',
      'true',
      { fields: [['familyName']] },
      'ada,bob,cid',
      '',
    ],
    ['knows where they do not match', 'familyName eq "Lee"', {}, 'bob', ''],
    ['does not know where the filter asks what they lack', 'age gt 1', {}, 'bob', 'ada,cid'],
  ])('%s', async (_, filter, extra, ids, unreadable) => {
    expect(await found(filter, extra)).toEqual([ids, unreadable])
  })

  it('fails if it asks for one of them by its id', async () => {
    expect(await found('_id eq "bob"')).toEqual(['bob', ''])
    await expect(found('_id eq "ada"')).rejects.toMatchObject({ code: 'UNREADABLE' })
  })
})

describe('a query of a system', () => {
  const rows = 'c,,Z,3,,,,,,\na,,Y,1,,,,,,\nd,,,,,,,,,\nb,,Y,2,,m@x;n@x,,r,,\n'
  const ids = async (filter: string, extra = {}) => {
    await using given = await hr(rows)
    const { result } = await given.resources.query(
      'system/hr/account',
      { filter: parseFilter(filter), ...extra },
      admin,
    )
    return result.map(({ _id }) => _id).join('')
  }

  it.each([
    ['true', 'cadb'],
    ['false', ''],
    ['false or familyName eq "Z"', 'c'],
    ['_id eq "a"', 'a'],
    ['_id eq "a" or _id in \'["d","x"]\'', 'ad'],
    ['login eq "b"', 'b'],
    ['familyName eq "y"', ''],
    ['age gt 1', 'cb'],
    ['!(familyName pr)', 'd'],
    ['mails eq "n@x"', 'b'],
    ['rare eq "r"', 'b'],
    ['shoe pr', ''],
    ['secret pr', ''],
  ])('%s finds "%s"', async (filter, found) => {
    expect(await ids(filter)).toBe(found)
  })

  it.each(['shoe eq "x"', 'secret sw "p"', 'hidden eq "h"', 'name/first eq "x"'])(
    '%s is refused',
    async (filter) => {
      await expect(ids(filter)).rejects.toMatchObject({ status: 400 })
    },
  )

  it('ignores letter case where resultsHandlerConfig says so, and then does not claim to compare exactly', async () => {
    await using given = await hr(rows, { resultsHandlerConfig: { enableCaseInsensitiveFilter: true } })
    const { result } = await given.resources.query(
      'system/hr/account',
      { filter: parseFilter('familyName eq "z"') },
      admin,
    )
    expect(result).toHaveLength(1)
    expect(given.resources.objectSet('system/hr/account').comparison(['familyName'])).toBeUndefined()
  })

  it('sorts, with absent values last and ties by id', async () => {
    expect(await ids('true', { sortKeys: parseSortKeys('familyName,-age') })).toBe('bacd')
  })

  it('pages with a cookie, also when objects come and go in between', async () => {
    await using given = await hr(rows)
    const query = { filter: everything, pageSize: 2, sortKeys: parseSortKeys('-age'), fields: [['login']] }
    const first = await given.resources.query('system/hr/account', { ...query, totalPolicy: 'EXACT' }, admin)
    expect(first).toMatchObject({
      result: [
        { _id: 'c', login: 'c' },
        { _id: 'b', login: 'b' },
      ],
      total: 4,
    })
    await given.resources.delete('system/hr/account/b', undefined, admin)
    const second = await given.resources.query(
      'system/hr/account',
      { ...query, cookie: first.cookie ?? '' },
      admin,
    )
    expect(second).toMatchObject({ result: [{ _id: 'a' }, { _id: 'd' }], cookie: null })
  })

  it('pages with an offset', async () => {
    expect(await ids('true', { pageSize: 2, offset: 1 })).toBe('bc')
  })

  it('refuses a cookie that is not its own', async () => {
    await expect(ids('true', { pageSize: 2, cookie: 'x' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('creating an object in a system', () => {
  it('sends the creatable properties that have a value, and answers the object', async () => {
    await using given = await hr()
    const content = {
      login: 'eve',
      familyName: 'E',
      age: '7',
      active: 'TRUE',
      mails: 'one@x',
      later: 'x',
      once: '',
      rare: null,
    }
    expect(await given.resources.create('system/hr/account', undefined, content, admin)).toEqual({
      _id: 'eve',
      login: 'eve',
      familyName: 'E',
      age: 7,
      active: true,
      mails: ['one@x'],
    })
    expect(await given.csv.text()).toBe(`${header}"eve","","E","7","true","one@x","","","",""\n`)
  })

  it('takes `_id` for a name that is not given', async () => {
    await using given = await hr()
    expect(await given.resources.create('system/hr/account', undefined, { _id: 'eve' }, admin)).toEqual({
      _id: 'eve',
      login: 'eve',
    })
  })

  it('decrypts secrets on the way', async () => {
    await using given = await hr()
    const secret = { $crypto: { plain: 'open sesame' } }
    const object = await given.resources.create(
      'system/hr/account',
      undefined,
      { login: 'eve', secret },
      admin,
    )
    expect(object).not.toHaveProperty('secret')
    expect(await given.csv.text()).toContain('"open sesame"')
  })

  it.each<[what: string, content: JsonObject, code: string]>([
    ['an undeclared property', { login: 'eve', shoe: 1 }, 'INVALID_VALUE'],
    ['a required property without value', { familyName: 'E' }, 'INVALID_VALUE'],
    ['a value of another type', { login: 'eve', age: 'old' }, 'INVALID_VALUE'],
    ['an object for a text', { login: 'eve', familyName: {} }, 'INVALID_VALUE'],
    ['several values for one', { login: 'eve', familyName: ['a', 'b'] }, 'INVALID_VALUE'],
    [
      'a hash for a password',
      { login: 'eve', secret: { $crypto: { type: 'salted-hash' } } },
      'INVALID_VALUE',
    ],
    ['an id that is taken', { login: 'ada' }, 'PRECONDITION_FAILED'],
  ])('refuses %s, and says where it happened', async (_, content, code) => {
    await using given = await hr(ada)
    await expect(
      given.resources.create('system/hr/account', undefined, content, admin),
    ).rejects.toMatchObject({
      code,
      detail: { system: 'hr', objectType: 'account', operation: 'CREATE', retryable: false },
    })
    expect(await given.csv.text()).toBe(header + ada)
  })

  it('with an id of a client is refused: 412 if there is such an object, else 400', async () => {
    await using given = await hr(ada)
    const client = { ...admin, external: true }
    await expect(given.resources.create('system/hr/account', 'ada', {}, client)).rejects.toMatchObject({
      status: 412,
    })
    await expect(given.resources.create('system/hr/account', 'eve', {}, client)).rejects.toMatchObject({
      status: 400,
    })
  })

  it('takes the id that comes from inside as a proposal', async () => {
    await using given = await hr(ada)
    const made = await given.resources.create('system/hr/account', 'eve', {}, admin)
    expect(made._id).toBe('eve')
    await expect(given.resources.create('system/hr/account', 'ada', {}, admin)).rejects.toThrow()
  })
})

describe('updating an object of a system', () => {
  const after = async (content: JsonObject) => {
    await using given = await hr(ada)
    await given.resources.update('system/hr/account/ada', undefined, content, admin)
    return (await given.csv.text()).slice(header.length)
  }

  it.each<[what: string, content: JsonObject, row: string]>([
    [
      'null clears; what is absent stays',
      { familyName: null },
      '"ada","pw","","36","true","a@x;b@x","h","r","o","l"\n',
    ],
    ['what is not updateable is not sent', { once: 'x', login: 'x' }, ada],
    ['a null password does not clear', { secret: null }, ada],
    ['an empty list clears', { mails: [], familyName: [] }, '"ada","pw","","36","true","","h","r","o","l"\n'],
    [
      'one value in a list is that value',
      { familyName: ['K'] },
      '"ada","pw","K","36","true","a@x;b@x","h","r","o","l"\n',
    ],
    ['unknown keys with an underscore are ignored', { _rev: '1', _meta: {} }, ada],
    [
      'unreadable properties can be written',
      { hidden: 'x' },
      '"ada","pw","King","36","true","a@x;b@x","x","r","o","l"\n',
    ],
  ])('%s', async (_, content, row) => {
    expect(await after(content)).toBe(row)
  })

  it('is 404 for an object that is not there', async () => {
    await using given = await hr()
    await expect(given.resources.update('system/hr/account/x', undefined, {}, admin)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      detail: { operation: 'UPDATE', uid: 'x' },
    })
  })

  it('with a revision is refused, because there are none', async () => {
    await using given = await hr(ada)
    await expect(given.resources.update('system/hr/account/ada', '1', {}, admin)).rejects.toMatchObject({
      status: 412,
    })
  })

  it('by a patch applies its operations in order and sends only what they touch', async () => {
    await using given = await hr(ada)
    const operations = parsePatch([
      { operation: 'add', field: 'mails/-', value: 'c@x' },
      { operation: 'remove', field: 'mails', value: 'a@x' },
      { operation: 'increment', field: 'age', value: 1 },
      { operation: 'remove', field: 'familyName' },
      { operation: 'replace', field: 'secret', value: 'new' },
    ])
    const object = await given.resources.patch('system/hr/account/ada', undefined, operations, admin)
    expect(object).toMatchObject({ age: 37, mails: ['b@x', 'c@x'] })
    expect(await given.csv.text()).toBe(`${header}"ada","new","","37","true","b@x;c@x","h","r","o","l"\n`)
  })
})

describe('deleting an object of a system', () => {
  it('answers the object as it was', async () => {
    await using given = await hr(ada)
    expect(await given.resources.delete('system/hr/account/ada', undefined, admin)).toMatchObject({
      familyName: 'King',
    })
    expect(await given.csv.text()).toBe(header)
  })
})

describe('an operation that operationOptions denies', () => {
  it.each<[what: string, options: JsonObject, outcome: string]>([
    ['is forbidden', { UPDATE: { denied: true } }, 'FORBIDDEN'],
    [
      'is allowed where the type says otherwise',
      { UPDATE: { denied: true, objectFeatures: { account: { denied: false } } } },
      'ok',
    ],
    [
      'may be named by object class',
      { UPDATE: { objectFeatures: { __ACCOUNT__: { denied: true } } } },
      'FORBIDDEN',
    ],
    [
      'is not offered for types not among the supported',
      { UPDATE: { supportedObjectTypes: ['group'] } },
      'NOT_IMPLEMENTED',
    ],
    ['does not concern other operations', { DELETE: { denied: true } }, 'ok'],
  ])('%s', async (_, operationOptions, outcome) => {
    await using given = await hr(ada, { operationOptions })
    const update = given.resources.update('system/hr/account/ada', undefined, { familyName: 'x' }, admin)
    expect(
      await update.then(
        () => 'ok',
        ({ code }) => code,
      ),
    ).toBe(outcome)
  })

  it('answers the present state where onDeny says DO_NOTHING, and is logged', async () => {
    await using given = await hr(ada, {
      operationOptions: { UPDATE: { denied: true, onDeny: 'DO_NOTHING' } },
    })
    const object = await given.resources.update(
      'system/hr/account/ada',
      undefined,
      { familyName: 'x' },
      admin,
    )
    expect(object).toMatchObject({ _id: 'ada', familyName: 'King' })
    expect(given.logged).toEqual(['UPDATE on system/hr/account/ada is denied and was skipped'])
    expect(await given.csv.text()).toBe(header + ada)
  })

  it('never reads as empty', async () => {
    await using given = await hr(ada, {
      operationOptions: { SEARCH: { denied: true, onDeny: 'DO_NOTHING' } },
    })
    const query = given.resources.query('system/hr/account', { filter: everything }, admin)
    await expect(query).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('the object set of a system', () => {
  it('gives full pages, reads and writes many, and says how it compares', async () => {
    await using given = await hr(Array.from({ length: 25 }, (_, n) => `u${n},,S${n % 2},,,,,,,\n`).join(''))
    const set = given.resources.objectSet('system/hr/account')
    const pages = await Array.fromAsync(set.pages({ filter: parseFilter('familyName eq "S1"'), pageSize: 5 }))
    expect(pages.map((page) => page.length)).toEqual([5, 5, 2])
    expect([...(await set.readMany(['u1', 'x', 'u2'])).keys()]).toEqual(['u1', 'u2'])
    const results = await set.writeMany(
      [
        { operation: 'update', id: 'u1', content: { shoe: 1 } },
        { operation: 'create', id: 'given', content: {} },
        { operation: 'delete', id: 'u2' },
      ],
      admin,
    )
    expect(results).toMatchObject([
      { ok: false, error: { detail: { uid: 'u1' } } },
      { ok: true, object: { _id: 'given' } },
      { ok: true },
    ])
    expect(['_id', 'familyName', 'shoe', 'secret'].map((name) => set.comparison([name]))).toEqual([
      'exact',
      'exact',
      undefined,
      undefined,
    ])
    await expect(set.writeMany([], { ...admin, readOnly: true })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})

describe('the actions of systems', () => {
  const action = (name: string, content: Json = null, parameters: Record<string, string> = {}) => ({
    name,
    content,
    parameters,
  })

  it('test all or one, and say what is wrong', async () => {
    await using given = await hr(ada)
    const report = {
      name: 'hr',
      enabled: true,
      config: 'config/provisioner.openicf/hr',
      objectTypes: ['__ALL__', 'account'],
      ok: true,
    }
    expect(await given.resources.action('system', action('test'), admin)).toMatchObject([report])
    await given.csv.put('')
    const failed = { ok: false, error: expect.stringContaining('is empty') }
    expect(await given.resources.action('system/hr', action('test'), admin)).toMatchObject(failed)
  })

  it('authenticate', async () => {
    await using given = await hr(ada)
    const authenticate = action('authenticate', null, { username: 'ada', password: 'pw' })
    expect(await given.resources.action('system/hr/account', authenticate, admin)).toEqual({ _id: 'ada' })
    const wrong = action('authenticate', null, { username: 'ada', password: 'x' })
    await expect(given.resources.action('system/hr/account', wrong, admin)).rejects.toMatchObject({
      status: 401,
    })
  })

  it('lead from the connector to a configuration that works', async () => {
    await using given = await hr(ada)
    const { connectorRef } = (await given.resources.action(
      'system',
      action('availableConnectors'),
      admin,
    )) as { connectorRef: JsonObject[] }
    const core = (await given.resources.action(
      'system',
      action('createCoreConfig', { connectorRef: connectorRef[0] }),
      admin,
    )) as JsonObject
    expect(core.configurationProperties).toMatchObject({ headerUid: 'uid', csvFile: null })
    const configured = { ...core, configurationProperties: { csvFile: 'people.csv' } }
    const full = (await given.resources.action(
      'system',
      action('createFullConfig', configured),
      admin,
    )) as JsonObject
    expect(full.objectTypes).toMatchObject({
      account: { nativeType: '__ACCOUNT__', properties: { sn: { type: 'string' } } },
    })
    const named = { ...full, name: 'new' }
    expect(await given.resources.action('system', action('testConfig', named), admin)).toMatchObject({
      name: 'new',
      ok: true,
    })
  })

  it.each([
    ['system/hr', 'script', 400],
    ['system/hr/account', 'liveSync', 501],
    ['system', 'toString', 400],
  ])('on %s: %s is %i', async (path, name, status) => {
    await using given = await hr(ada)
    await expect(given.resources.action(path, action(name), admin)).rejects.toMatchObject({ status })
  })
})

describe('a system that cannot be opened', () => {
  it.each<[what: string, configuration: JsonObject, message: RegExp]>([
    [
      'an unknown connector',
      { connectorRef: { connectorName: 'org.forgerock.openicf.csvfile.CsvConnector' } },
      /no known connector; the nearest .*CSVFileConnector/,
    ],
    ['no connector', { connectorRef: {} }, /connectorName is missing/],
    ['a missing setting', { configurationProperties: {} }, /configurationProperties lacks csvFile/],
    [
      'an unknown type',
      { objectTypes: { account: { nativeType: '__ACCOUNT__', properties: { a: { type: 'strnig' } } } } },
      /properties\/a\/type "strnig"/,
    ],
    ['a bad name', { name: 'h-r' }, /letters and digits/],
  ])('because of %s', async (_, configuration, message) => {
    await expect(hr('', configuration)).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: expect.stringMatching(message),
    })
  })

  it('but settings without effect are only warnings, and so is a version that we do not have', async () => {
    await using given = await hr('', {
      connectorRef: { connectorName: csvKind.connectorName, bundleVersion: '[3,4)' },
      configurationProperties: { csvFile: 'people.csv', multivaluedColumns: ['mails'], csvfile: 'x' },
      excludeUnmodified: true,
    })
    expect(given.system.warnings).toEqual([
      {
        place: ['connectorRef', 'bundleVersion'],
        message: expect.stringContaining('bundleVersion "[3,4)" does not include'),
      },
      {
        place: ['configurationProperties', 'csvfile'],
        message: expect.stringContaining('csvfile is no setting'),
      },
      { place: ['excludeUnmodified'], message: expect.stringContaining('excludeUnmodified has no effect') },
    ])
  })
})
