import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { type TemporaryFolder, temporaryFolder } from '../../testing/folder.ts'
import { kindOfError } from '../kit/errors.ts'
import { Secret } from '../kit/values.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { sqliteFile } from '../sql/testing/databases.ts'
import type { TestDatabase } from '../sql/testing/server.ts'
import { scriptedKind, scriptedSqlKind } from './kind.ts'
import type { ScriptedConnector } from './scripted-connector.ts'
import { type Hook, hooks } from './settings.ts'
import { filesOf, type TestScripts, testScripts } from './testing/people.ts'

/** Scripts of a project against a SQLite file. */
const account = '__ACCOUNT__'
let database: TestDatabase
let folder: TemporaryFolder
let scripts: TestScripts
const opened: ScriptedConnector[] = []

beforeEach(async () => {
  database = await sqliteFile()
  folder = temporaryFolder()
  scripts = await testScripts(folder.path, { timeout: 400, memory: 32 })
  await database.run('CREATE TABLE people (id INTEGER PRIMARY KEY, login TEXT UNIQUE, mail TEXT)')
})
afterEach(async () => {
  for (const connector of opened.splice(0)) await connector[Symbol.asyncDispose]()
  await scripts[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
  await database[Symbol.asyncDispose]()
})

function write(files: Partial<Record<Hook, string>>): JsonObject {
  for (const [hook, source] of Object.entries(files)) writeFileSync(folder.file(`${hook}.js`), source)
  return filesOf(...(Object.keys(files) as Hook[]))
}

function connector(files: Partial<Record<Hook, string>>, settings: JsonObject = {}): ScriptedConnector {
  const made = scripts.connect({ ...database.settings, ...write(files), ...settings })
  opened.push(made)
  return made
}

const creating = (login: string, attributes = {}): ConnectorWrite => ({
  operation: 'create',
  attributes: { __NAME__: login, ...attributes },
})

async function written(
  files: Partial<Record<Hook, string>>,
  ...writes: readonly ConnectorWrite[]
): Promise<readonly ConnectorWriteOutcome[]> {
  return (await connector(files).writeMany?.(account, writes)) ?? []
}

function errorOf(outcome: ConnectorWriteOutcome | undefined): Error {
  if (outcome && !outcome.ok) return outcome.error
  throw new Error('the write has succeeded')
}

const logins = async () =>
  (await database.run('SELECT login FROM people ORDER BY id')).map(([login]) => login)

const insert = "connection.execute('INSERT INTO people (login) VALUES (?)', [id]);"

describe('what is offered', () => {
  it('is what there are scripts for', () => {
    const one = connector({ search: '', authenticate: '' })
    const offers = Object.keys(hooks).concat('writeMany', 'readMany', 'changesSince', 'runScript')
    expect(
      offers.filter((name) => name in one && one[name as keyof ScriptedConnector] !== undefined),
    ).toEqual(['authenticate', 'search', 'test', 'readMany', 'runScript'])
  })

  it('refuses a kind of write without its script, and no other', async () => {
    const [made, gone] = await written({ create: `${insert} id` }, creating('ann'), {
      operation: 'delete',
      id: '1',
    })
    expect(made).toEqual({ ok: true, id: 'ann' })
    expect(kindOfError(errorOf(gone))).toBe('unsupported')
  })
})

describe('an error of a script', () => {
  it('names script, file, line, column and object', async () => {
    const update = `const change = attributes\n  change.missing.member`
    const [outcome] = await written(
      { update },
      { operation: 'update', id: 'u7', changes: [{ attribute: 'mail', kind: 'set', value: 'x' }] },
    )
    const error = errorOf(outcome)
    expect(error.message).toContain('"u7": update script encountered exception: TypeError')
    expect(error.message).toMatch(/update\.js, line 2, column 18/)
    expect(error).toMatchObject({ detail: { script: 'update', line: 2, column: 18 } })
  })

  it.each([
    ['an unknown column', "connection.query('SELECT shoe FROM people')", 'misconfigured'],
    ['an exception of the Java connector', "throw new UnknownUidException('nobody')", 'unknownId'],
    ['a status', 'throw { code: 403, message: "no" }', 'permission'],
    ['any other', 'throw new Error("no")', 'failed'],
    ['an error of the database', `${insert} ${insert}`, 'alreadyExists'],
    ['an unknown table', "connection.query('SELECT * FROM nowhere')", 'misconfigured'],
    [
      'one that it throws again',
      `try { ${insert} ${insert} } catch (error) { throw error }`,
      'alreadyExists',
    ],
  ])('has a kind: %s', async (_what, create, kind) => {
    const [outcome] = await written({ create }, creating('ann'))
    expect(kindOfError(errorOf(outcome))).toBe(kind)
  })

  it('takes back what its operation has written, and no other operation', async () => {
    const create = `${insert} if (id === 'bob') throw new Error('not him'); id`
    const outcomes = await written({ create }, creating('ann'), creating('bob'), creating('cid'))
    expect(outcomes.map(({ ok }) => ok)).toEqual([true, false, true])
    expect(await logins()).toEqual(['ann', 'cid'])
  })

  it('is one too to return no uid: then nothing is written', async () => {
    const [outcome] = await written({ create: `${insert} undefined` }, creating('ann'))
    expect(errorOf(outcome).message).toContain('must return the uid')
    expect(await logins()).toEqual([])
  })
})

describe('a script that does not end', () => {
  it.each([
    ['loops', 'for (;;) {}', 'SCRIPT_TIMEOUT'],
    ['hoards', 'var all = []; while (true) all.push(new Array(1000).fill(id))', 'SCRIPT_MEMORY'],
  ])('is stopped and taken back, and the others go on: it %s', async (_what, endless, code) => {
    await scripts[Symbol.asyncDispose]()
    scripts = await testScripts(folder.path, { memory: 32, timeout: code === 'SCRIPT_MEMORY' ? 30_000 : 400 })
    const create = `${insert} if (id === 'bob') { ${endless} } id`
    const outcomes = await written({ create }, creating('bob'), creating('cid'))
    expect(errorOf(outcomes[0])).toMatchObject({ code })
    expect(outcomes[1]).toEqual({ ok: true, id: 'cid' })
    expect(await logins()).toEqual(['cid'])
  })
})

describe('what must not be said', () => {
  it('is in no error and in no log: passwords and sensitive configuration', async () => {
    const create = `log.info('{} {}', attributes.__PASSWORD__, configuration.propertyBag.api.key)
      throw new Error(attributes.__PASSWORD__ + configuration.propertyBag.api.key)`
    const sensitive = { customSensitiveConfiguration: "api { key = 'open sesame' }" }
    const one = connector({ create }, sensitive)
    const password = new Secret('correct horse')
    const outcomes = (await one.writeMany?.(account, [creating('ann', { __PASSWORD__: password })])) ?? []
    const said = `${errorOf(outcomes[0]).message} ${JSON.stringify(outcomes)} ${scripts.logged.join()}`
    expect(said).not.toContain('correct horse')
    expect(said).not.toContain('open sesame')
    expect(scripts.logged).toHaveLength(1)
  })

  it('is in no answer of the database either', async () => {
    const create =
      "connection.execute('INSERT INTO people (id, login) VALUES (?, ?)', [attributes.__PASSWORD__, id])"
    const [outcome] = await written(
      { create },
      creating('ann', { __PASSWORD__: new Secret('battery staple') }),
    )
    expect(errorOf(outcome).message).not.toContain('battery staple')
  })

  it('is not the password of the database in `configuration`, which scripts cannot change', async () => {
    const create = "configuration.table = 'other'; JSON.stringify(configuration)"
    const one = connector({ create }, { password: 'of the database', user: 'me' })
    const [outcome] = (await one.writeMany?.(account, [creating('ann')])) ?? []
    expect(outcome).toEqual({ ok: true, id: expect.stringContaining('"user":"me"') })
    expect(JSON.stringify(outcome)).not.toMatch(/of the database|other/)
  })
})

describe('connection', () => {
  const value = async (script: string) =>
    connector({}).runScript?.({ language: 'JavaScript', text: script, variables: {} })

  it.each([
    ['rows as objects', "connection.query('SELECT ? AS a, ? AS b', ['x', 2])", [{ a: 'x', b: 2 }]],
    ['no row as null', "connection.first('SELECT 1 AS a WHERE 1 = 0')", null],
    [
      'how many rows were concerned',
      "connection.execute(\"INSERT INTO people (login) VALUES ('a'), ('b')\")",
      2,
    ],
    ['bytes in Base64', "connection.first('SELECT ? AS a', [{ base64: 'AAH/' }]).a", 'AAH/'],
    [
      'whole numbers that JavaScript cannot hold as texts',
      "connection.first('SELECT 9007199254740993 AS a').a",
      '9007199254740993',
    ],
    ['dates as texts', "connection.first('SELECT ? AS a', [new Date(0)]).a", '1970-01-01T00:00:00.000Z'],
  ])('gives %s', async (_what, script, expected) => {
    expect(await value(script)).toEqual(expected)
  })

  it.each([
    ['too few parameters', "connection.query('SELECT ?, ?', [1])", '2 parameters (?), and 1 are given'],
    [
      'a parameter that is undefined',
      "connection.query('SELECT ?', [undefined])",
      'parameter 1 is undefined',
    ],
    ['a list as a parameter', "connection.query('SELECT ?', [[1]])", 'parameter 1 is a list or an object'],
    ['two statements', "connection.query('SELECT 1; DROP TABLE people')", ''],
  ])('refuses %s', async (_what, script, message) => {
    if (message !== '') return expect(value(script)).rejects.toThrow(message)
    await value(script).catch(() => undefined)
    expect(await logins()).toEqual([])
  })

  it('visits rows while other statements run, and stops when told', async () => {
    for (const login of ['a', 'b', 'c']) await database.run('INSERT INTO people (login) VALUES (?1)', [login])
    const script = `const seen = []
      connection.eachRow('SELECT id, login FROM people ORDER BY id', ({ id, login }) => {
        connection.eachRow('SELECT ? AS twice', [login + login], ({ twice }) => { seen.push(twice) })
        return login !== 'b'
      })
      seen`
    expect(await value(script)).toEqual(['aa', 'bb'])
  })
})

describe('a search', () => {
  it('of ids asks for them together, and one by one where the script cannot', async () => {
    for (const login of ['a', 'b', 'c']) await database.run('INSERT INTO people (login) VALUES (?1)', [login])
    const search = `const { operation, right } = query()
      if (operation !== 'EQUALS') throw new UnsupportedOperationException(operation)
      for (const { id, login } of connection.query('SELECT id, login FROM people WHERE id = ?', [right]))
        handler({ uid: id, id: login })`
    const one = connector({ search })
    expect([...((await one.readMany?.(account, ['1', '3', '9'])) ?? [])].map(([id]) => id)).toEqual([
      '1',
      '3',
    ])
    expect(scripts.warnings).toEqual([expect.stringContaining('cannot answer a query for several ids')])
  })

  it.each([
    ['no object', 'handler(1)', 'handler takes one object'],
    ['no uid', "handler({ id: 'ann' })", 'has no uid'],
    ['attributes in a wrong place', "handler({ uid: 1, mail: 'x' })", '"mail" beside uid, id and attributes'],
  ])('says what is wrong with what its handler gets: %s', async (_what, search, message) => {
    const pages = connector({ search }).search?.({ objectClass: account, filter: everything })
    await expect(Array.fromAsync(pages ?? [])).rejects.toThrow(message)
  })

  it('may hand over objects with their special names beside the attributes', async () => {
    const search = "handler({ __UID__: 7, __NAME__: 'ann', mail: 'a@x', none: null, list: [] })"
    const pages = connector({ search }).search?.({ objectClass: account, filter: everything })
    expect((await Array.fromAsync(pages ?? [])).flat()).toEqual([{ _id: '7', __NAME__: 'ann', mail: 'a@x' }])
  })
})

describe('a file', () => {
  it('that has changed is loaded before the next operation', async () => {
    const one = connector({ test: "throw new Error('first')" })
    await expect(one.test?.()).rejects.toThrow('first')
    write({ test: "throw new Error('second')" })
    await expect(one.test?.()).rejects.toThrow('second')
  })

  const checked = async (settings: JsonObject) =>
    scriptedSqlKind.check?.({ ...database.settings, ...settings }, scripts.host)

  it('that is missing, or does not compile, is an error of the configuration', async () => {
    await expect(checked({ createScriptFileName: 'nowhere.js' })).rejects.toThrow(
      /createScriptFileName.*nowhere\.js/,
    )
    await expect(checked(write({ search: 'const = 1' }))).rejects.toThrow(
      /search script does not compile.*line 1/,
    )
    await expect(checked(write({ search: 'handler({ uid: 1 }); return 1' }))).resolves.toBeUndefined()
  })

  it('of Groovy is refused with the name that it gets in JavaScript', async () => {
    const settings = { searchScriptFileName: 'SearchScript.groovy', testScriptFileName: 'TestScript.groovy' }
    const error = await checked(settings)?.catch((thrown: unknown) => thrown)
    if (!(error instanceof Problem)) throw new Error('it is accepted')
    expect(error.code).toBe('CONFIGURATION')
    for (const part of ['SearchScript.js', 'connection.query(sql, parameters)', 'TestScript.groovy'])
      expect(error.message).toContain(part)
  })
})

it('runs the customizer before each operation, in its transaction', async () => {
  const customizer =
    "connection.execute('INSERT INTO people (login) VALUES (?)', ['of ' + operation]); ({ greeting: 'hello' })"
  const outcomes = await written({ customizer, create: `${insert} customized.greeting` }, creating('ann'))
  expect(outcomes).toEqual([{ ok: true, id: 'hello' }])
  expect(await logins()).toEqual(['of CREATE', 'ann'])
})

it('gives the changes that a sync script hands over, with its token', async () => {
  const sync = `if (operation === 'GET_LATEST_SYNC_TOKEN') return connection.first('SELECT MAX(id) AS id FROM people').id
    connection.eachRow('SELECT id, login FROM people WHERE id > ? ORDER BY id', [token], ({ id, login }) =>
      handler({ syncToken: id, deltaType: 'CREATE', object: { uid: id, id: login } }))
    handler({ deltaType: 'DELETE', uid: 99 })`
  const one = connector({ sync })
  await database.run("INSERT INTO people (login) VALUES ('a')")
  const token = await one.latestToken?.(account)
  await database.run("INSERT INTO people (login) VALUES ('b')")
  expect(await Array.fromAsync(one.changesSince?.(account, token ?? null) ?? [])).toEqual([
    {
      changes: [
        { kind: 'CREATE', id: '2', object: { _id: '2', __NAME__: 'b' } },
        { kind: 'DELETE', id: '99' },
      ],
      token: { epoch: 'script', position: 2 },
    },
  ])
})

it('runs scripts without a connection, and none with the server', async () => {
  const files = write({ search: "handler({ uid: [typeof connection, typeof openidm].join(' and ') })" })
  const plain = scriptedKind.create(files, scripts.host)
  const pages = plain.search?.({ objectClass: account, filter: everything }) ?? []
  expect((await Array.fromAsync(pages)).flat()).toEqual([{ _id: 'undefined and undefined' }])
  await plain[Symbol.asyncDispose]()
})
