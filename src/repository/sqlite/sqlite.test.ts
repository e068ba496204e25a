import { repositoryContract } from '../contract/contract.ts'
import { openSqlite } from './open.ts'
import { temporaryFolder } from './testing/folder.ts'

repositoryContract({
  name: 'SQLite',
  async open() {
    const folder = temporaryFolder()
    const repository = await openSqlite(folder.file('store.db'))
    return {
      repository,
      async dispose() {
        await repository[Symbol.asyncDispose]()
        folder[Symbol.dispose]()
      },
    }
  },
})
