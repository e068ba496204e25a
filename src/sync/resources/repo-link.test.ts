import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Repository } from '../../repository/repository.ts'
import type { RequestContext, Resources } from '../../router/resources.ts'
import { router } from '../../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../../testing/store.ts'
import { repoLinkProvider } from './repo-link.ts'

const context: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }
const link = { linkType: 'hr', linkQualifier: 'default', firstId: '1', secondId: 'ada' }

let store: TemporaryStore
let repository: Repository
let resources: Resources

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  // The mapping `back` uses the links of `hr`.
  const linkTypes: Record<string, string> = { hr: 'hr', back: 'hr' }
  resources = router({ 'repo/link': repoLinkProvider(repository, (mapping) => linkTypes[mapping]) })
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
})

const create = (content: JsonObject, id?: string) => resources.create('repo/link', id, content, context)

describe('repo/link', () => {
  it('creates, reads, updates and deletes links', async () => {
    const created = await create(link, 'x')
    expect(created).toEqual({ _id: 'x', _rev: expect.any(String), ...link })
    expect(await resources.read('repo/link/x', context)).toEqual(created)
    const updated = await resources.update('repo/link/x', created._rev, { ...link, secondId: 'bob' }, context)
    expect(updated).toMatchObject({ _id: 'x', secondId: 'bob' })
    await expect(resources.delete('repo/link/x', created._rev, context)).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    })
    expect(await resources.delete('repo/link/x', updated._rev, context)).toEqual(updated)
    await expect(resources.read('repo/link/x', context)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
  it('answers queries', async () => {
    await create(link)
    await create({ ...link, firstId: '2', secondId: 'bob' })
    const query = (text: string) => resources.query('repo/link', { filter: parseFilter(text) }, context)
    expect((await query('firstId eq "2"')).result).toMatchObject([{ secondId: 'bob' }])
    expect((await query('linkType eq "hr" and linkQualifier eq "default"')).result).toHaveLength(2)
  })
  it('refuses a second link of the same source', async () => {
    await create(link)
    await expect(create({ ...link, secondId: 'bob' })).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' })
  })
  it.each([
    { ...link, firstId: undefined },
    { ...link, secondId: 7 },
    { ...link, linkType: '' },
  ])('refuses %j', async (content) => {
    await expect(create(content)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
  it('refuses to make it another mapping’s link', async () => {
    await create(link, 'x')
    await expect(
      resources.update('repo/link/x', undefined, { ...link, linkType: 'other' }, context),
    ).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('the command delete-mapping-links', () => {
  const command = (parameters: Record<string, string>) =>
    resources.action('repo/link', { name: 'command', content: null, parameters }, context)
  it('drops the links that the mapping uses, and no others', async () => {
    await create(link)
    await create({ ...link, linkType: 'other' })
    expect(await command({ commandId: 'delete-mapping-links', mapping: 'back' })).toBe(1)
    const { result } = await resources.query('repo/link', { filter: everything }, context)
    expect(result).toMatchObject([{ linkType: 'other' }])
  })
  it.each<[Record<string, string>, string]>([
    [{ commandId: 'delete-mapping-links', mapping: 'unknown' }, 'NOT_FOUND'],
    [{ commandId: 'delete-mapping-links' }, 'BAD_REQUEST'],
    [{ commandId: 'drop-everything' }, 'BAD_REQUEST'],
  ])('with %j is %s', async (parameters, code) => {
    await expect(command(parameters)).rejects.toMatchObject({ code })
  })
})
