import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Repository } from '../../repository/repository.ts'
import type { ResourceProvider } from '../../router/resources.ts'
import { storePage, storeQuery } from '../../router/store-query.ts'
import { deadLetters } from '../changes/live-sync/live-sync.ts'
import { stages } from '../changes/live-sync/state.ts'
import { clearLetter } from '../issues/issue.ts'
import { recordAction } from '../issues/record-action.ts'
import { pendingDeletions } from '../page/grace.ts'

/** `repo/synchronisation/pooledSyncStage/{ID}` (engine §9): how far liveSync has come; deleting it starts anew. */
export function stageProvider(repository: Repository): ResourceProvider {
  return stored(repository, (path) => [stages, splitPath(path)])
}

/** `repo/synchronisation/pendingDeletions[/{id of a link}]`: targets that are disabled until they are deleted; deleting one ends the wait. */
export function pendingDeletionProvider(repository: Repository): ResourceProvider {
  return stored(repository, (path) => [pendingDeletions, splitPath(path)])
}

/** `repo/synchronisation/deadLetterQueue/{system}[/{id}]`: changes that could not be synchronized. */
export function deadLetterProvider(repository: Repository): ResourceProvider {
  return stored(repository, (path) => {
    const [system, ...rest] = splitPath(path)
    if (system !== undefined) return [`${deadLetters}/${system}`, rest]
    const fact = `${deadLetters} is divided by system: name one, e.g. ${deadLetters}/hr`
    throw new Problem('NOT_IMPLEMENTED', fact)
  })
}

/** `placeOf`: the collection that a path leads to, and what follows. */
function stored(
  repository: Repository,
  placeOf: (path: string) => readonly [collection: string, ids: readonly string[]],
): ResourceProvider {
  const { objects } = repository
  async function found(path: string): Promise<StoredObject> {
    const [collection, [id, ...deeper]] = placeOf(path)
    const object =
      id === undefined || deeper.length > 0 ? undefined : (await objects.read(collection, [id])).get(id)
    if (object) return object
    throw new Problem('NOT_FOUND', `There is no ${[collection, id, ...deeper].join('/')}`)
  }
  return {
    read: found,
    query: async (path, query) =>
      storePage(await objects.query(placeOf(path)[0], storeQuery(query)), (object) => object),
    async delete(path, rev, context) {
      const object = await found(path)
      const [collection] = placeOf(path)
      const [outcome] = await objects.write(collection, [{ operation: 'delete', id: object._id, rev }])
      if (!outcome?.ok) throw new Problem('PRECONDITION_FAILED', `${collection}/${object._id} has changed`)
      const objectId = `${collection}/${object._id}`
      await recordAction(repository, { objectId, message: 'delete' }, context)
      await clearLetter(repository, objectId)
      return object
    },
  }
}
