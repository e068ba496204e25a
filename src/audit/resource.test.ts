import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseFilter } from '../model/filter/parse.ts'
import type { Repository } from '../repository/repository.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import { router } from '../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../testing/store.ts'
import { auditEvents } from './resource.ts'

const context: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }

let store: TemporaryStore
let repository: Repository
let resources: Resources

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  resources = router({ audit: auditEvents(repository) })
  await repository.audit.append(
    ['ABSENT', 'CONFIRMED', 'ABSENT'].map((situation, index) => ({
      id: `e${index}`,
      topic: 'recon',
      timestamp: `2026-01-01T00:00:0${index}.000Z`,
      content: { situation, reconId: 'r1' },
    })),
  )
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
})

describe('audit entries', () => {
  it('are read by topic and id', async () => {
    expect(await resources.read('audit/recon/e1', context)).toMatchObject({
      _id: 'e1',
      situation: 'CONFIRMED',
    })
  })
  it('are queried in the order of writing', async () => {
    const filter = parseFilter('reconId eq "r1" and situation eq "ABSENT"')
    const { result } = await resources.query('audit/recon', { filter }, context)
    expect(result.map(({ _id }) => _id)).toEqual(['e0', 'e2'])
  })
  it('cannot be changed', async () => {
    await expect(resources.delete('audit/recon/e1', undefined, context)).rejects.toMatchObject({
      code: 'NOT_IMPLEMENTED',
    })
  })
  it.each([
    ['audit/recon/ghost', 'NOT_FOUND'],
    ['audit/gossip/e1', 'NOT_FOUND'],
    ['audit/recon', 'BAD_REQUEST'],
    ['audit', 'NOT_FOUND'],
  ])('%s: %s', async (path, code) => {
    await expect(resources.read(path, context)).rejects.toMatchObject({ code })
  })
})
