import { createHash } from 'node:crypto'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { applyPatch, type PatchOperation } from '../../model/patch.ts'
import { getAt } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import { queryCollection } from '../../router/collection.ts'
import type { RequestContext, Resource, ResourceAction, ResourceProvider } from '../../router/resources.ts'
import { fileOfId, idOfFile } from '../document-id.ts'
import type { Candidate } from '../live/candidate.ts'
import type { Edit, Reconfiguration } from '../live/reconfiguration.ts'
import { type ConnectorSchemas, masked } from '../live/secret-values.ts'
import type { ConfigurationDocument, ConfigurationProblem } from '../project.ts'
import { containedMapping, inSync, withContained } from './contained-mapping.ts'

export interface ConfigOptions {
  /** Asked at every request: configuration changes. */
  readonly documents: () => readonly ConfigurationDocument[]
  readonly reconfiguration: Pick<Reconfiguration<Candidate>, 'change' | 'validate' | 'versionText'>
  readonly connectorSchemas: ConnectorSchemas
  /** The value that a script makes of a value: the patch operation `transform` (platform §1.4). */
  readonly transform: (script: JsonObject, value: Json, request: RequestContext) => Promise<Json | undefined>
}

/**
 * `config` (platform §3.1): the project's documents as they are written, placeholders unexpanded, secrets hidden. The
 * revision is a hash of the content. What is written here is checked as part of the whole configuration, goes to its file and is in
 * force when it is answered. The action `rollback` of a document puts back one of its versions.
 *
 * A file that is not JSON is not here; `syncline check` reports it.
 */
export function configProvider(options: ConfigOptions): ResourceProvider {
  const { documents, reconfiguration } = options
  const { shown, found } = viewsOf(options)
  const { change, changed } = changesOf(options, found)
  return {
    async read(path) {
      if (path !== '') return found(configId(...splitPath(path)))
      return { _id: '', configurations: documents().map(({ id }) => listed(id)) }
    },
    async query(path, query) {
      if (path !== '')
        throw new Problem('BAD_REQUEST', `Only config itself can be queried, not config/${path}`)
      return queryCollection(
        documents().flatMap(({ id, raw }) => (raw === undefined ? [] : [shown({ id, raw })])),
        query,
      )
    },
    async create(path, given, content, request) {
      if (given === undefined)
        throw new Problem('BAD_REQUEST', 'A configuration object needs an id: PUT config/{id}')
      const id = configId(...splitPath(path), ...given.split('/'))
      const edit = (present: JsonObject | undefined) => {
        if (present) throw new Problem('PRECONDITION_FAILED', `config/${id} exists already`)
        return content
      }
      return changed(id, edit, request)
    },
    async update(path, rev, content, request) {
      const id = configId(...splitPath(path))
      const edit = (present: JsonObject | undefined) => content && expected(id, present, rev) && content
      return changed(id, edit, request)
    },
    async patch(path, rev, operations, request) {
      const id = configId(...splitPath(path))
      const edit = (present: JsonObject | undefined) =>
        patched(expected(id, present, rev), operations, options.transform, request)
      return changed(id, edit, request)
    },
    async delete(path, rev, request) {
      const id = configId(...splitPath(path))
      let last: JsonObject = {}
      const edit = (present: JsonObject | undefined) => {
        last = expected(id, present, rev)
        return undefined
      }
      await change(id, edit, request)
      return shown({ id, raw: last })
    },
    async action(path, action, request) {
      if (action.name === 'validate') return validated(path, action, options)
      if (path === '' || action.name !== 'rollback')
        throw new Problem('BAD_REQUEST', `config/${path} does not offer the action "${action.name}"`)
      const id = configId(...splitPath(path))
      const text = await reconfiguration.versionText(id, versionIn(action))
      if (text !== undefined) return changed(id, () => text, request)
      await reconfiguration.change(id, () => text, request)
      return null
    },
  }
}

/** How an object is changed: in its file, or within that of `sync`. */
function changesOf({ documents, reconfiguration }: ConfigOptions, found: (id: string) => Resource) {
  const change = (id: string, edit: Edit, request: RequestContext) => {
    const contained = containedMapping(documents(), id)
    return contained
      ? reconfiguration.change('sync', inSync(contained.name, edit), request)
      : reconfiguration.change(id, edit, request)
  }
  const changed = async (id: string, edit: Edit, request: RequestContext) => {
    const warnings = await change(id, edit, request)
    return withWarnings(found(id), warnings)
  }
  return { change, changed }
}

/** Beside the content, if there are any; a client that sends it back sends them in vain. */
function withWarnings(found: Resource, warnings: readonly ConfigurationProblem[]): Resource {
  return warnings.length === 0 ? found : { ...found, _warnings: warnings.map(answered) }
}

/** `validate`: of one object with the content of the request, or of the project with any number of them; nothing is stored. */
async function validated(
  path: string,
  { content }: ResourceAction,
  { reconfiguration, documents }: Pick<ConfigOptions, 'reconfiguration' | 'documents'>,
): Promise<JsonObject> {
  if (content !== null && content !== undefined && !isJsonObject(content))
    throw new Problem('BAD_REQUEST', 'validate takes an object: the content, or contents by their ids')
  const given = contentsIn(path, content ?? undefined, documents())
  const problems = await reconfiguration.validate(await withContained(given, documents()))
  const valid = problems.every(({ severity }) => severity !== 'error')
  return { valid, problems: problems.map(answered) }
}

function contentsIn(
  path: string,
  content: JsonObject | undefined,
  documents: readonly ConfigurationDocument[],
): Readonly<Record<string, JsonObject | undefined>> {
  if (path !== '') {
    const id = configId(...splitPath(path))
    const present = (documents.find((one) => one.id === id) ?? containedMapping(documents, id))?.raw
    return { [id]: content && Object.keys(content).length > 0 ? content : expected(id, present) }
  }
  const contents = Object.entries(content ?? {}).map(([id, one]) => {
    if (one !== null && !isJsonObject(one))
      throw new Problem('BAD_REQUEST', `validate: ${id} is no object; null stands for one that is deleted`)
    return [configId(...id.split('/')), one ?? undefined] as const
  })
  return Object.fromEntries(contents)
}

/** What was found and what is allowed are in the message. */
function answered({ found: _, allowed: __, suggestion, ...problem }: ConfigurationProblem): JsonObject {
  return { ...problem, ...(suggestion !== undefined && { suggestion }) }
}

/** A document as it is answered, and the answer of one that must be there. */
function viewsOf({ documents, connectorSchemas }: Pick<ConfigOptions, 'documents' | 'connectorSchemas'>) {
  const shown = ({ id, raw }: Pick<ConfigurationDocument, 'id'> & { raw: JsonObject }): Resource => ({
    ...masked(id, raw, connectorSchemas),
    _id: id,
    _rev: contentHash(raw),
  })
  const found = (id: string): Resource => {
    const document = documents().find((one) => one.id === id) ?? containedMapping(documents(), id)
    return shown({ id, raw: expected(id, document?.raw) })
  }
  return { shown, found }
}

/** The present content, if it is there and has the revision. */
function expected(id: string, present: JsonObject | undefined, rev?: string): JsonObject {
  if (!present) throw new Problem('NOT_FOUND', `There is no configuration object ${id}`)
  if (rev !== undefined && rev !== contentHash(present))
    throw new Problem('PRECONDITION_FAILED', `config/${id} has changed since the revision given`)
  return present
}

/** Each `transform` becomes a replacement by what its script makes of the value that it finds. */
async function patched(
  present: JsonObject,
  operations: readonly PatchOperation[],
  transform: ConfigOptions['transform'],
  request: RequestContext,
): Promise<JsonObject> {
  const resolved: PatchOperation[] = []
  for (const operation of operations) {
    if (operation.operation !== 'transform') resolved.push(operation)
    else {
      const { field, script } = operation
      const value = await transform(script, getAt(applyPatch(present, resolved), field) ?? null, request)
      resolved.push(
        value === undefined || value === null
          ? { operation: 'remove', field }
          : { operation: 'replace', field, value },
      )
    }
  }
  return applyPatch(present, resolved)
}

function versionIn({ parameters, content }: ResourceAction): string {
  const version = parameters.version ?? (content as JsonObject | null)?.version
  if (typeof version === 'string' && version !== '') return version
  throw new Problem('BAD_REQUEST', 'rollback needs the parameter version: the _id of one of config/history')
}

/** In bytes; file systems take 255, and a draft needs some of them. */
const longestName = 180

/** An id that can be the name of a file, and of no other object's. */
function configId(...segments: readonly string[]): string {
  const id = segments.join('/').replaceAll(' ', '_')
  if (segments.length > 2)
    throw new Problem('BAD_REQUEST', `config/${id} has more than two segments after config`)
  const isName = segments.every(
    (segment) => /^[\p{L}\p{N}_@+~,.()[\] -]+$/u.test(segment) && segment[0] !== '.',
  )
  if (!isName || Buffer.byteLength(fileOfId(id)) > longestName || idOfFile(fileOfId(id)) !== id)
    throw new Problem(
      'BAD_REQUEST',
      `config/${id}: this is no id of a configuration object; it names its file`,
    )
  return id
}

function contentHash(content: JsonObject): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url').slice(0, 22)
}

function listed(id: string): JsonObject {
  const [type = id, name] = id.split('/')
  return {
    _id: id,
    pid: name === undefined ? id : `${type}.${name}`,
    factoryPid: name === undefined ? null : type,
  }
}
