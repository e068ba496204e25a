import { describe, expect, it, vi } from 'vitest'
import { everything } from '../model/filter/filter.ts'
import { authorizeExternal } from './authorization.ts'
import type { RouterFilter } from './filter.ts'
import type { ObjectSet, RequestContext, ResourceProvider, Resources } from './resources.ts'
import { router } from './router.ts'

const inside: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }
const dryRun: RequestContext = { ...inside, readOnly: true }

/** Answers with the name it was mounted by and the path it saw. */
const named = (name: string): ResourceProvider => ({ read: async (path) => ({ name, _id: path }) })

describe('a path', () => {
  const resources = router({ repo: named('repo'), 'repo/link': named('links'), config: named('config') })
  it.each([
    ['repo/link/1', 'links', '1'],
    ['repo/link', 'links', ''],
    ['repo/links/1', 'repo', 'links/1'],
    ['/repo/x/', 'repo', 'x'],
    ['config/a%2Fb', 'config', 'a%2Fb'],
    ['%72epo/l%69nk/1', 'links', '1'],
    ['config/%2573ync', 'config', '%2573ync'],
  ])('%s goes to %s', async (path, name, rest) => {
    expect(await resources.read(path, inside)).toEqual({ _id: rest, name })
  })
  it.each(['', '/', 'repository/1', 'confi', 'constructor', 'repo%2Flink', '%2572epo/1'])(
    '"%s" leads nowhere',
    async (path) => {
      await expect(resources.read(path, inside)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    },
  )
  it.each(['repo/%zz', 'repo/%ff', '%', 'repo//1'])(
    '"%s" is refused before a filter sees it',
    async (path) => {
      const seen = vi.fn<(path: string) => void>()
      const watched = router({ repo: named('repo') }, [
        (request, next) => {
          seen(request.path)
          return next()
        },
      ])
      await expect(watched.read(path, inside)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      expect(() => watched.objectSet(path)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
      expect(seen).not.toHaveBeenCalled()
    },
  )
  it('is not implemented where the provider lacks the verb', async () => {
    await expect(resources.delete('repo/1', undefined, inside)).rejects.toMatchObject({
      code: 'NOT_IMPLEMENTED',
    })
    await expect(
      resources.action('repo', { name: 'go', content: null, parameters: {} }, inside),
    ).rejects.toMatchObject({ message: 'repo does not offer the action "go"' })
  })
  it('has an object set only where there is one', () => {
    expect(() => resources.objectSet('repo/x')).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }))
  })
})

describe('fields', () => {
  const resource = { name: { given: 'Ann', family: 'X' }, mails: ['a', 'b'], _rev: '1', _id: 'a' }
  const resources = router({
    things: {
      read: async () => resource,
      query: async () => ({ result: [resource, { ...resource, _id: 'b' }], cookie: null }),
    },
  })
  const read = (...fields: string[][]) => resources.read('things/a', { ...inside, fields })
  it('keep _id and _rev in front', async () => {
    expect(Object.entries(await read(['name', 'given'], ['_rev'], ['absent']))).toEqual([
      ['_id', 'a'],
      ['_rev', '1'],
      ['name', { given: 'Ann' }],
    ])
  })
  it.each([[[]], [[['*']]]])('%j: everything, identity first', async (fields) => {
    const all = await read(...fields)
    expect(all).toEqual(resource)
    expect(Object.keys(all).slice(0, 2)).toEqual(['_id', '_rev'])
  })
  it('apply to every result of a query', async () => {
    const page = await resources.query('things', { filter: everything, fields: [['mails']] }, inside)
    expect(page.result).toEqual(['a', 'b'].map((_id) => ({ _id, _rev: '1', mails: ['a', 'b'] })))
  })
  it('do not change what the provider holds', async () => {
    await read(['name'], ['name', 'given'])
    expect(resource.name).toEqual({ given: 'Ann', family: 'X' })
  })
})

describe('in a dry run', () => {
  let writes = 0
  const write = async () => {
    writes += 1
    return { _id: 'a' }
  }
  const set = {
    path: 'things',
    comparison: () => 'exact',
    async writeMany() {
      writes += 1
      return []
    },
    joining: () => set,
  } as Partial<ObjectSet> as ObjectSet
  const provider: ResourceProvider = {
    read: async () => ({ _id: 'a' }),
    create: write,
    update: write,
    patch: write,
    delete: write,
    action: async () => 'done',
    objectSet: () => set,
  }
  const resources = router({ things: provider })
  const act = (name: string) => resources.action('things', { name, content: null, parameters: {} }, dryRun)
  it.each([
    ['create', () => resources.create('things', undefined, {}, dryRun)],
    ['update', () => resources.update('things/a', undefined, {}, dryRun)],
    ['patch', () => resources.patch('things/a', undefined, [], dryRun)],
    ['delete', () => resources.delete('things/a', undefined, dryRun)],
    ['an unknown action', () => act('recon')],
    ['a write of a page', () => resources.objectSet('things').writeMany([], dryRun)],
    [
      'a write in a transaction',
      () =>
        resources
          .objectSet('things')
          .joining?.({} as never)
          .writeMany([], dryRun),
    ],
  ])('%s is refused', async (_name, attempt) => {
    await expect(attempt()).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('dry run'),
    })
    expect(writes).toBe(0)
  })
  it('reads and harmless actions go on', async () => {
    expect(await resources.read('things/a', dryRun)).toEqual({ _id: 'a' })
    expect(await act('test')).toBe('done')
  })
})

describe('filters', () => {
  it('stand around the request, the first outermost', async () => {
    const seen: string[] = []
    const noting =
      (name: string): RouterFilter =>
      async (request, next) => {
        seen.push(`${name} before ${request.verb} ${request.path}`)
        const answer = await next()
        seen.push(`${name} after`)
        return answer
      }
    await router({ things: named('things') }, [noting('outer'), noting('inner')]).read('/things/a', inside)
    expect(seen).toEqual([
      'outer before read things/a',
      'inner before read things/a',
      'inner after',
      'outer after',
    ])
  })
})

describe('the path that filters and the provider see', () => {
  const seen: string[] = []
  const noting: RouterFilter = async (request, next) => {
    seen.push(`${request.verb} ${request.path}`)
    return next()
  }
  const asked = async (path: string) => {
    seen.push(path)
    return { _id: 'a' }
  }
  const provider: ResourceProvider = {
    read: asked,
    query: async (path) => ({ result: [await asked(path)], cookie: null }),
    create: asked,
    update: asked,
    patch: asked,
    delete: asked,
    action: async (path) => (await asked(path))._id,
  }
  const ways: [string, (to: Resources) => Promise<unknown>][] = [
    ['read', (to) => to.read('%6danaged/%75ser', inside)],
    ['query', (to) => to.query('managed/%75ser', { filter: everything }, inside)],
    ['create', (to) => to.create('managed/%75ser', undefined, {}, inside)],
    ['update', (to) => to.update('managed/%75ser', undefined, {}, inside)],
    ['patch', (to) => to.patch('managed/%75ser', undefined, [], inside)],
    ['delete', (to) => to.delete('managed/%75ser', undefined, inside)],
    ['action', (to) => to.action('managed/%75ser', { name: 'x', content: null, parameters: {} }, inside)],
  ]
  it.each(ways)('is canonical: %s', async (verb, attempt) => {
    seen.length = 0
    await attempt(router({ managed: provider }, [noting]))
    expect(seen).toEqual([`${verb} managed/user`, 'user'])
  })
  it('stays canonical when a filter changes it', async () => {
    seen.length = 0
    const changing: RouterFilter = (request, next) => next({ ...request, path: '/managed/%73ecret' })
    await router({ managed: provider }, [noting, changing, noting]).read('managed/user', inside)
    expect(seen).toEqual(['read managed/user', 'read managed/secret', 'secret'])
  })
})

describe('a caller from outside', () => {
  const answering: ResourceProvider = { read: async () => ({ _id: '' }), action: async () => 'done' }
  const resources = router({ info: answering, repo: answering, managed: answering }, [authorizeExternal])
  const as = (...roles: string[]): RequestContext => ({ ...inside, external: true, userId: 'someone', roles })
  const read = (path: string, context: RequestContext) => resources.read(path, context)
  const command = (path: string, commandId: string) =>
    resources.action(path, { name: 'command', content: null, parameters: { commandId } }, as('openidm-admin'))
  it.each([
    ['an administrator', () => read('managed/user/a', as('openidm-admin'))],
    ['an administrator by reference', () => read('managed/user/a', as('internal/role/openidm-admin'))],
    ['anybody who asks what server it is', () => read('info/version', as('openidm-authorized'))],
    ['anybody who pings', () => read('info/ping', as('openidm-reg'))],
    ['an administrator who drops links', () => command('repo/link', 'delete-mapping-links')],
    ['the server itself', () => read('managed/user/a', inside)],
  ])('may: %s', async (_who, attempt) => {
    expect(await attempt()).toBeDefined()
  })
  it.each([
    ['without roles', () => read('managed/user/a', as())],
    ['with other roles', () => read('managed/user/a', as('openidm-authorized'))],
    ['with raw repository commands', () => command('repo/audit/recon', 'purge')],
    ['with raw repository commands, spelt otherwise', () => command('%72epo/audit/recon', 'purge')],
  ])('may not: %s', async (_who, attempt) => {
    await expect(attempt()).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })
})
