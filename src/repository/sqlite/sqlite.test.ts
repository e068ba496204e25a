import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { temporaryStore } from '../../testing/store.ts'
import { repositoryContract } from '../contract/contract.ts'
import { transactionsContract } from '../contract/transactions.ts'
import type { Repository } from '../repository.ts'
import type { SqliteOptions } from './open.ts'

repositoryContract({ name: 'SQLite', open: () => open({}) })

describe('SQLite, with every transaction repeated', () => {
  let opened: { readonly repository: Repository; dispose(): Promise<void> }
  beforeEach(async () => {
    opened = await open({ repeatTransactions: true })
  })
  afterEach(() => opened.dispose())

  transactionsContract(() => opened.repository)

  it('calls the work of each twice, on what was there before it', async () => {
    const { repository } = opened
    const seen: unknown[] = []
    await repository.transaction(async ({ settings }) => {
      seen.push(await settings.read('key'))
      await settings.write('key', 'written')
    })
    expect(seen).toEqual([undefined, undefined])
    expect(await repository.settings.read('key')).toBe('written')
  })
})

async function open(options: SqliteOptions) {
  const store = await temporaryStore(options)
  return { repository: store.repository, dispose: async () => store[Symbol.asyncDispose]() }
}
