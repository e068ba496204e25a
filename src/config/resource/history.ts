import { pointersOf } from '../../model/filter/walk.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'
import { storePage, storeQuery } from '../../router/store-query.ts'
import { contentOf, openedVersion, readVersion, type Version, versionCollection } from '../live/history.ts'
import { type ConnectorSchemas, masked } from '../live/secret-values.ts'

/**
 * `config/history[/{version}]`: the versions of configuration objects, one per change, with the content before and after,
 * secrets hidden. `configId` names the object.
 */
export function versionsProvider(
  repository: Repository,
  schemas: ConnectorSchemas,
  decrypt: (value: Json) => Promise<Json>,
): ResourceProvider {
  return {
    async read(id) {
      const version = await readVersion(repository, id, decrypt)
      if (!version) throw new Problem('NOT_FOUND', `There is no version "${id}" of a configuration object`)
      return shown(version, schemas)
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `config/history/${path} is a version, not a set`)
      const asked = [...pointersOf(query.filter), ...(query.sortKeys ?? []).map(({ pointer }) => pointer)]
      const content = asked.find(([member]) => member === 'before' || member === 'after')
      // Stored contents may hold secrets: a filter that compares with them could reveal them.
      if (content)
        throw new Problem(
          'BAD_REQUEST',
          `config/history is not queried by /${content.join('/')}, but by its other members`,
        )
      const page = await repository.objects.query(versionCollection, storeQuery(query))
      const versions = await Promise.all(page.result.map((stored) => openedVersion(stored, decrypt)))
      return storePage({ ...page, result: versions }, (version) => shown(version, schemas))
    },
  }
}

function shown({ id, before, after, state, ...facts }: Version, schemas: ConnectorSchemas): Resource {
  const content = (text: string | null) => shownText(facts.configId, text, schemas)
  return { _id: id, ...facts, before: content(before), after: content(after) }
}

/** A text that is not a JSON object is mentioned but not shown: any part of it could be secret. */
function shownText(configId: string, text: string | null, schemas: ConnectorSchemas): JsonObject | null {
  if (text === null) return null
  const content = contentOf(text)
  if (content) return masked(configId, content, schemas)
  return { unreadable: `${text.length} characters that are no JSON object` }
}
