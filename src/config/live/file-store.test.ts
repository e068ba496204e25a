import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationStoreContract } from '../../repository/contract/configuration-store.ts'
import { temporaryFolder } from '../../testing/folder.ts'
import { fileOfId } from '../document-id.ts'
import { fileConfiguration } from './file-store.ts'

configurationStoreContract({
  name: 'files',
  async open() {
    const folder = temporaryFolder()
    mkdirSync(folder.file('conf'))
    return {
      store: fileConfiguration({ folder: folder.path, filesRead: () => new Set() }),
      async behindItsBack(id, text) {
        const file = join(folder.path, 'conf', fileOfId(id))
        if (text === undefined) rmSync(file)
        else writeFileSync(file, text)
      },
      async [Symbol.asyncDispose]() {
        folder[Symbol.dispose]()
      },
    }
  },
})
