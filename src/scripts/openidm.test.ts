import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ScriptContext } from './engine.ts'
import { script, system, type TestEngine, testEngine } from './testing/engine.ts'

let test: TestEngine
beforeAll(async () => {
  test = await testEngine({
    properties: (name) => ({ 'mail.domain': 'example.com', off: false, none: null })[name],
  })
})
beforeEach(() => {
  test.store.clear()
  test.requests.length = 0
  test.logged.length = 0
  test.store.set('managed/user/jdoe', {
    _id: 'jdoe',
    _rev: '3',
    mail: 'j@x',
    name: { first: 'J', last: 'D' },
  })
})
afterAll(() => test[Symbol.asyncDispose]())

/** What a script catches. */
const caught = (call: string) =>
  test.value(`var r; try { r = ${call} } catch (e) { r = [e.code, e.message, e instanceof Error] } r`)

describe('openidm.read', () => {
  it('answers the object', async () => {
    expect(await test.value('openidm.read("managed/user/jdoe").mail')).toBe('j@x')
  })

  it('answers null for what is not there', async () => {
    expect(await test.value('openidm.read("managed/user/nobody")')).toBeNull()
  })

  it('asks as the caller, but from inside', async () => {
    const request = { external: true, userId: 'bjensen', roles: ['r'], transactionId: 'tx-9' }
    await test.value('openidm.read("managed/user/jdoe")', {}, { request })
    expect(test.requests[0]?.request).toMatchObject({ ...request, external: false })
  })

  it.each([
    ['managed/user/a%2Fb', 'managed/user/a%2Fb'],
    ['/managed/user/a b', 'managed/user/a b'],
    ['managed/user/100%', 'managed/user/100%25'],
    ['managed/user/100%/x%20y', 'managed/user/100%25/x%20y'],
  ])('of %s reaches %s, whose segments the router decodes', async (path, asked) => {
    await test.value('openidm.read(path)', { path })
    expect(test.requests[0]?.path).toBe(asked)
  })

  it.each(['""', '"a//b"', '5', 'null', 'undefined', '{}'])('refuses path %s', async (path) => {
    expect(await caught(`openidm.read(${path})`)).toEqual([
      400,
      expect.stringContaining('openidm.read'),
      true,
    ])
  })

  it('passes fields on, as argument or parameter', async () => {
    await test.value('openidm.read("managed/user/jdoe", null, ["mail", "/name/first"])')
    await test.value('openidm.read("managed/user/jdoe", {_fields: "mail,name/first"})')
    for (const { request } of test.requests)
      expect(request).toMatchObject({ fields: [['mail'], ['name', 'first']] })
  })
})

describe('openidm writes', () => {
  it('create with an id, or with one that the server chooses', async () => {
    expect(await test.value('openidm.create("managed/user", "b", {mail: "b@x"})._id')).toBe('b')
    expect(await test.value('openidm.create("managed/user", null, {mail: "c@x"})._id')).toBe('new-3')
    expect(await caught('openidm.create("managed/user", "b", {})')).toEqual([
      412,
      'managed/user/b exists',
      true,
    ])
  })

  it('update and delete, with a revision or without', async () => {
    expect(await test.value('openidm.update("managed/user/jdoe", "3", {a: 1})._rev')).toBe('3+')
    expect(await test.value('openidm.update("managed/user/jdoe", null, {a: 1})._rev')).toBe('any+')
    expect(await test.value('openidm.delete("managed/user/jdoe", null)')).toMatchObject({ _id: 'jdoe' })
    expect(await caught('openidm.delete("managed/user/jdoe", null)')).toEqual([
      404,
      'managed/user/jdoe not found',
      true,
    ])
  })

  it('patch with operations that are checked', async () => {
    const patch = (operations: string) =>
      caught(`openidm.patch("managed/user/jdoe", null, ${operations}).operations`)
    expect(await patch('[{operation: "replace", field: "/mail", value: "x"}]')).toBe(1)
    expect(await patch('[{operation: "explode", field: "/mail"}]')).toEqual([400, expect.any(String), true])
  })

  it.each([
    ['create', 'openidm.create("managed/user", "deep", { x: x })'],
    ['update', 'openidm.update("managed/user/jdoe", null, { x: x })'],
    ['patch', 'openidm.patch("managed/user/jdoe", null, [{operation: "add", field: "/x", value: x}])'],
    ['action', 'openidm.action("managed/user", "do", { x: x })'],
  ])('refuses content that is nested too deep: %s', async (_what, write) => {
    const source = `(function () { var x = []; for (var i = 0; i < 1500; i++) x = [x]; return ${write} })()`
    expect(await caught(source)).toEqual([400, expect.stringContaining('levels deep'), true])
    expect(test.requests).toEqual([])
  })

  it('answer only the fields asked for, with id and revision', async () => {
    const fields = '{}, ["name/first"]'
    expect(
      await test.value(
        `openidm.update("managed/user/jdoe", null, {name: {first: "K", last: "L"}}, ${fields})`,
      ),
    ).toEqual({
      _id: 'jdoe',
      _rev: 'any+',
      name: { first: 'K' },
    })
  })

  it.each([
    'create("managed/user", "x", null)',
    'create("managed/user", "x", [1])',
    'create("managed/user", 5, {})',
    'update("managed/user/jdoe", 3, {})',
    'update("managed/user/jdoe", null, {}, {deep: {}})',
    'patch("managed/user/jdoe", null, {})',
  ])('refuse %s', async (call) => {
    expect(await caught(`openidm.${call}`)).toEqual([400, expect.any(String), true])
    expect(test.requests).toEqual([])
  })
})

describe('openidm.query', () => {
  it('answers the envelope of REST', async () => {
    expect(await test.value('openidm.query("managed/user", {_queryFilter: "true"})')).toEqual({
      result: [expect.objectContaining({ _id: 'jdoe' })],
      resultCount: 1,
      pagedResultsCookie: null,
      totalPagedResultsPolicy: 'NONE',
      totalPagedResults: -1,
      remainingPagedResults: -1,
    })
  })

  it('hands over everything parsed, and other parameters as text', async () => {
    const params = {
      _queryFilter: 'mail eq "a"',
      _sortKeys: '-sn,mail',
      _pageSize: 5,
      _pagedResultsOffset: 10,
      depth: 2,
      none: null,
    }
    await test.value('openidm.query("managed/user", params, ["mail"])', { params })
    expect(test.requests[0]?.query).toEqual({
      filter: { kind: 'compare', operator: 'eq', pointer: ['mail'], value: 'a' },
      fields: [['mail']],
      sortKeys: [
        { pointer: ['sn'], descending: true },
        { pointer: ['mail'], descending: false },
      ],
      pageSize: 5,
      offset: 10,
      parameters: { depth: '2' },
    })
  })

  it('knows query-all-ids', async () => {
    await test.value('openidm.query("managed/user", {_queryId: "query-all-ids"})')
    expect(test.requests[0]?.query).toMatchObject({
      filter: { kind: 'literal', value: true },
      fields: [['_id']],
    })
  })

  it.each([
    ['no key', '{}', /exactly one/],
    ['no parameters', 'null', /exactly one|one of/],
    ['two keys', '{_queryFilter: "true", _queryId: "query-all-ids"}', /exactly one/],
    ['an unknown named query', '{_queryId: "mine"}', /mine/],
    ['a broken filter', '{_queryFilter: "mail equals 5 ("}', /./],
    ['a native query', '{_queryExpression: "select 1"}', /_queryFilter/],
    ['a parameter that is no scalar', '{_queryFilter: "true", x: []}', /"x"/],
    ['a negative page size', '{_queryFilter: "true", _pageSize: -1}', /_pageSize/],
  ])('refuses %s', async (_what, params, message) => {
    expect(await caught(`openidm.query("managed/user", ${params})`)).toEqual([
      400,
      expect.stringMatching(message),
      true,
    ])
  })
})

describe('openidm.action', () => {
  it.each([
    [
      'by name',
      '"recon", "cancel", {a: 1}, {force: true, none: null}',
      'cancel',
      { a: 1 },
      { force: 'true' },
    ],
    ['without content', '"recon", "cancel", null', 'cancel', null, {}],
    [
      'an object among the parameters, as JSON',
      '"recon", "go", null, {mapping: {name: "m"}}',
      'go',
      null,
      { mapping: '{"name":"m"}' },
    ],
    ['by parameter, the name left out', '"recon", {a: 1}, {_action: "go", x: 1}', 'go', { a: 1 }, { x: '1' }],
    ['by parameter, the name null', '"recon", null, {a: 1}, {_action: "go"}', 'go', { a: 1 }, {}],
    ['by parameter, with neither', '"recon", null, {_action: "go"}', 'go', null, {}],
  ])('%s', async (_how, args, name, content, parameters) => {
    expect(await test.value(`openidm.action(${args})`)).toEqual({ done: name })
    expect(test.requests[0]?.action).toEqual({ name, content, parameters })
  })

  it.each(['"recon", "cancel"', '"recon"', '"recon", "x", "text"', '"recon", "x", [1]', '"recon", {}, {}'])(
    'refuses (%s)',
    async (args) => {
      expect(await caught(`openidm.action(${args})`)).toEqual([
        400,
        expect.stringContaining('openidm.action'),
        true,
      ])
    },
  )
})

describe('an error of a call', () => {
  it('is an Error with code, message and detail, and nothing of the server', async () => {
    const source =
      'var r; try { openidm.delete("managed/user/x", null) } catch (e) { r = [JSON.stringify(e), e.stack] } r'
    const [json, stack] = (await test.value(source)) as [string, string]
    expect(JSON.parse(json)).toEqual({
      code: 404,
      message: 'managed/user/x not found',
      detail: { path: 'managed/user/x' },
    })
    expect(stack).not.toMatch(/memoryResources|testing\/engine|host-functions/)
  })

  it('that is not caught is the script’s own, with its place, and what was refused is the cause', async () => {
    const problem = await test.failure('var a = 1;\nopenidm.delete("managed/user/x", null)')
    expect(problem).toMatchObject({
      code: 'SCRIPT_FAILED',
      status: 404,
      message: expect.stringContaining('line 2, column 15'),
      cause: { message: 'managed/user/x not found' },
    })
  })
})

describe('a dry run', () => {
  const dry: ScriptContext = { request: { ...system.request, readOnly: true } }

  it.each([
    'create("managed/user", "x", {})',
    'update("managed/user/jdoe", null, {})',
    'patch("managed/user/jdoe", null, [])',
    'delete("managed/user/jdoe", null)',
    'action("recon", "recon", null)',
  ])('refuses openidm.%s before it reaches anything', async (call) => {
    expect(await test.failure(`openidm.${call}`, {}, dry)).toMatchObject({
      status: 403,
      message: expect.stringMatching(/: dry run: /),
    })
    expect(test.requests).toEqual([])
  })

  it('lets scripts read', async () => {
    expect(await test.value('openidm.read("managed/user/jdoe")._id', {}, dry)).toBe('jdoe')
    expect(
      await test.value('openidm.query("managed/user", {_queryFilter: "true"}).resultCount', {}, dry),
    ).toBe(1)
  })
})

describe('secrets', () => {
  it('are encrypted, hashed, told apart and compared', async () => {
    expect(await test.value('openidm.encrypt({a: 1}, null, "k")')).toMatchObject({
      $crypto: { value: { key: 'k', data: { a: 1 } } },
    })
    expect(await test.value('openidm.encrypt("a", null)')).toMatchObject({
      $crypto: { value: { key: 'openidm-sym-default' } },
    })
    expect(
      await test.value(
        'var e = openidm.encrypt(1, null, "k"); [openidm.isEncrypted(e), openidm.isHashed(e)]',
      ),
    ).toEqual([true, false])
    expect(
      await test.value(
        'var h = openidm.hash("a", "SHA-256"); [openidm.matches("a", h), openidm.matches("b", h)]',
      ),
    ).toEqual([true, false])
    expect(await test.value('openidm.decrypt({a: 1})')).toEqual({ a: 1 })
    expect(await caught('openidm.decrypt("text")')).toEqual([400, expect.stringContaining('string'), true])
  })
})

describe('logger', () => {
  it('fills in placeholders and names the script', async () => {
    await test.value('logger.info("{} has {}", "jdoe", {a: 1}, "more")')
    await test.value(
      'logger.warn("plain"); logger.error("{}", new Error("x")); logger.debug(undefined); console.log("c")',
    )
    expect(test.logged).toEqual([
      ['info', 'test', 'jdoe has {"a":1} more'],
      ['warn', 'test', 'plain'],
      ['error', 'test', 'Error: x'],
      ['debug', 'test', 'undefined'],
      ['info', 'test', 'c'],
    ])
  })

  it('cuts what would flood the log', async () => {
    await test.value('logger.info("x".repeat(100000))')
    expect(test.logged[0]?.[2].length).toBeLessThan(20_000)
  })
})

describe('identityServer', () => {
  it.each([
    ['getProperty("mail.domain")', 'example.com'],
    ['getProperty("off", true)', false],
    ['getProperty("missing")', null],
    ['getProperty("missing", "d")', 'd'],
    ['getProperty("missing", "d", true)', 'd'],
  ])('%s', async (call, value) => {
    expect(await test.value(`identityServer.${call}`)).toEqual(value)
  })

  it('knows where it is', async () => {
    expect(await test.value('identityServer.getProjectLocation()')).toBe(test.folder)
    expect(
      await test.value('[identityServer.getInstallLocation(), identityServer.getWorkingLocation()]'),
    ).toEqual([expect.any(String), expect.any(String)])
  })
})

it('scripts that cause scripts that cause scripts do not wait for each other’s isolates', async () => {
  await using recursive = await testEngine({
    isolates: 1,
    resources: () =>
      ({
        read: async (path: string) => ({ _id: path, n: await deeper(Number(path.split('/')[1])) }),
      }) as never,
  })
  const deeper = async (n: number): Promise<number> =>
    (await recursive.engine.evaluate(
      script('n === 0 ? 0 : openidm.read("count/" + (n - 1)).n + 1'),
      { n },
      system,
    )) as number
  expect(await deeper(8)).toBe(8)
  expect(await Promise.all([deeper(6), deeper(7), deeper(5), deeper(4)])).toEqual([6, 7, 5, 4])
  await expect(deeper(50)).rejects.toMatchObject({ message: expect.stringContaining('16 deep') })
  expect(await deeper(2)).toBe(2)
})
