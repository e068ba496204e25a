import { afterEach, beforeEach, describe } from 'vitest'
import type { Repository } from '../repository.ts'
import { auditContract } from './audit.ts'
import { branchContract } from './branch.ts'
import type { Current } from './current.ts'
import { intentsContract } from './intents.ts'
import { issuesContract } from './issues.ts'
import { leasesContract } from './leases.ts'
import { linksContract } from './links.ts'
import { objectsContract } from './objects.ts'
import { queryContract } from './query.ts'
import { relationshipsContract } from './relationships.ts'
import { runsContract } from './runs.ts'
import { settingsContract } from './settings.ts'
import { syncQueueContract } from './sync-queue.ts'
import { transactionsContract } from './transactions.ts'

export interface RepositoryUnderTest {
  readonly name: string
  /** A new, empty repository; `dispose` also removes its files. */
  open(): Promise<{ readonly repository: Repository; dispose(): Promise<void> }>
}

/** What every adapter of the repository port must do. */
export function repositoryContract({ name, open }: RepositoryUnderTest): void {
  describe(`the repository in ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.dispose())
    const current: Current = () => opened.repository

    linksContract(current)
    intentsContract(current)
    issuesContract(current)
    objectsContract(current)
    queryContract(current)
    relationshipsContract(current)
    runsContract(current)
    auditContract(current)
    settingsContract(current)
    syncQueueContract(current)
    leasesContract(current)
    transactionsContract(current)
    branchContract(current)
  })
}
