import { Problem } from '../../model/problem.ts'
import { joinPath, splitPath } from '../../model/resource-path.ts'
import type { Repository, StoredObject } from '../../repository/repository.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'
import { storePage, storeQuery } from '../../router/store-query.ts'
import { deadLetters } from '../changes/live-sync/live-sync.ts'
import { stages } from '../changes/live-sync/state.ts'

/** `repo/synchronisation/pooledSyncStage/{ID}` (engine §9): how far liveSync has come; deleting it starts anew. */
export function stageProvider(repository: Repository): ResourceProvider {
  return stored(repository, stages)
}

/** `repo/synchronisation/deadLetterQueue/{system}[/{id}]`: changes that nobody could carry on. */
export function deadLetterProvider(repository: Repository): ResourceProvider {
  const at = (path: string) => {
    const [system, ...rest] = splitPath(path)
    if (system === undefined)
      throw new Problem(
        'NOT_IMPLEMENTED',
        `${deadLetters} is divided by system: name one, e.g. ${deadLetters}/hr`,
      )
    return { of: stored(repository, `${deadLetters}/${system}`), rest: joinPath(...rest) }
  }
  return {
    read: async (path, request) => at(path).of.read?.(at(path).rest, request) as Promise<Resource>,
    query: async (path, query, request) => {
      const { of, rest } = at(path)
      return (of.query as NonNullable<ResourceProvider['query']>)(rest, query, request)
    },
    delete: async (path, rev, request) =>
      at(path).of.delete?.(at(path).rest, rev, request) as Promise<Resource>,
  }
}

function stored({ objects }: Repository, collection: string): ResourceProvider {
  async function found(path: string): Promise<StoredObject> {
    const [id, ...deeper] = splitPath(path)
    const object =
      id === undefined || deeper.length > 0 ? undefined : (await objects.read(collection, [id])).get(id)
    if (!object) throw new Problem('NOT_FOUND', `There is no ${collection}/${path}`)
    return object
  }
  return {
    read: found,
    query: async (_path, query) =>
      storePage(await objects.query(collection, storeQuery(query)), (object) => object),
    async delete(path, rev) {
      const object = await found(path)
      const [outcome] = await objects.write(collection, [{ operation: 'delete', id: object._id, rev }])
      if (!outcome?.ok) throw new Problem('PRECONDITION_FAILED', `${collection}/${object._id} has changed`)
      return object
    },
  }
}
