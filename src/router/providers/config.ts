import { createHash } from 'node:crypto'
import type { ConfigurationDocument } from '../../config/project.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { queryCollection } from '../collection.ts'
import { splitPath } from '../path.ts'
import type { Resource, ResourceProvider } from '../resources.ts'

/**
 * `config`: the project's documents as they are written, placeholders unexpanded, secrets hidden (platform specification §3.1).
 * The revision is a hash of the content. A file that is not JSON is not here; `syncline check` reports it.
 *
 * `documents` is asked at every request, so that a reloaded project is seen at once.
 */
export function configProvider(documents: () => readonly ConfigurationDocument[]): ResourceProvider {
  return {
    async read(path) {
      if (path === '') return listing(documents())
      const id = documentId(path)
      const document = documents().find((candidate) => candidate.id === id)
      if (document?.raw === undefined)
        throw new Problem('NOT_FOUND', `There is no configuration object ${id}`)
      return asResource(document.id, document.raw)
    },
    async query(path, query) {
      if (path !== '')
        throw new Problem('BAD_REQUEST', `Only config itself can be queried, not config/${path}`)
      const resources = documents().flatMap(({ id, raw }) => (raw === undefined ? [] : [asResource(id, raw)]))
      return queryCollection(resources, query)
    },
  }
}

function documentId(path: string): string {
  const segments = splitPath(path)
  if (segments.length > 2) {
    throw new Problem('BAD_REQUEST', `config/${path} has more than two segments after config`)
  }
  return segments.join('/').replaceAll(' ', '_')
}

function asResource(id: string, raw: JsonObject): Resource {
  return { ...concealed(raw), _id: id, _rev: contentHash(raw) }
}

/** Secrets that stand in a file in clear are not handed out; placeholders and `$crypto` are what may be seen. */
function concealed(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([name, value]) => [
      name,
      isClearSecret(name, value) ? '********' : below(value),
    ]),
  )
}

function below(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((element) => below(element) as Json)
  return isJsonObject(value) ? concealed(value) : value
}

function isClearSecret(name: string, value: Json | undefined): boolean {
  if (typeof value !== 'string' || /^&\{[^{}]*\}$/.test(value)) return false
  return /(?:password|passwd|passphrase|secret|credentials)$/i.test(name)
}

function contentHash(content: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22)
}

function listing(documents: readonly ConfigurationDocument[]): Resource {
  return { _id: '', configurations: documents.map(({ id }) => listed(id)) }
}

function listed(id: string): JsonObject {
  const [type = id, name] = id.split('/')
  return {
    _id: id,
    pid: name === undefined ? id : `${type}.${name}`,
    factoryPid: name === undefined ? null : type,
  }
}
