import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { chunks, repaged } from '../../kit/chunks.ts'
import { Unreadable } from '../../model/unreadable.ts'
import { copyNamed, copyOf, keep } from '../files/copies.ts'
import type { ChangesPage, ConnectorChange, SyncToken } from '../kit/changes.ts'
import type { SearchEnd } from '../kit/query.ts'
import { asObject, type Content, contentOf, idOfContent, problemAt, textOfContent } from './content.ts'
import { openXml } from './file.ts'
import type { XmlObject } from './reader.ts'
import { type ClassState, type Fault, isObject, objectsIn, readSnapshot, stateOf } from './snapshot.ts'
import type { Shapes } from './xsd.ts'

/**
 * The changes of the objects of one type, by comparison with an earlier copy of the document, as with CSV files. Each type has copies of
 * its own, since each is read at its own times. Memory holds one digest for each object. While the listing of the type is not
 * complete, no deletions are reported, and the older copy stays the one to compare with.
 */
export interface History {
  readonly path: string
  readonly className: string
  readonly shapes: Shapes | undefined
}

const pageSize = 500
/** The one that the last stored token names, and the one of a token that is not stored yet. */
const keptCopies = 2

/** Makes a copy of the file as it is now, from which changes are counted. */
export async function latestToken(history: History): Promise<SyncToken> {
  const base = baseOf(history)
  await using copy = await copyOf(history.path, base)
  await using handle = await openXml(copy.part)
  stateOf(await readSnapshot(handle, history.path, history.shapes), history.className, history.path)
  return await keep(copy, base, keptCopies)
}

export async function* changesSince(
  history: History,
  token: SyncToken | null,
  signal?: AbortSignal,
): AsyncGenerator<ChangesPage, SearchEnd> {
  const { path, className, shapes } = history
  const base = baseOf(history)
  const before = token === null ? undefined : await copyNamed(base, token)
  await using copy = await copyOf(path, base)
  if (before && copy.digest === before.digest) return
  const old = before && (await digestsOf(before.file, history, signal))
  await using handle = await openXml(copy.part)
  const state = stateOf(await readSnapshot(handle, path, shapes, signal), className, path)
  const { index, faults, listing } = state
  const isComplete = listing.state === 'complete'
  const gone = isComplete ? [...(old?.keys() ?? [])].filter((id) => !index.has(id) && !faults.has(id)) : []
  for (const ids of chunks(gone, pageSize))
    yield { changes: ids.map((id) => ({ kind: 'DELETE', id })), token }
  const changeOf = (object: XmlObject): ConnectorChange | undefined => {
    const known = readable(object, history, state)
    if (!known) return undefined
    const { id, content } = known
    const digest = old?.get(id)
    if (digest === digestOf(content)) return undefined
    return {
      kind: digest === undefined ? 'CREATE' : 'UPDATE',
      id,
      object: asObject(id, content, state.shape),
    }
  }
  for await (const changes of repaged(objectsIn(handle, path, signal), pageSize, changeOf))
    yield { changes, token }
  for (const changes of chunks(newFaults(state, old, path), pageSize)) yield { changes, token }
  if (isComplete) yield { changes: [], token: await keep(copy, base, keptCopies, before?.file) }
  return listing
}

/** What cannot be read, and could be read before or was something else. */
function newFaults(
  { faults }: ClassState,
  before: ReadonlyMap<string, string> | undefined,
  path: string,
): readonly ConnectorChange[] {
  return [...faults].flatMap(([id, fault]): ConnectorChange[] => {
    const known = before?.get(id)
    if (known === faultDigest(fault)) return []
    const object = new Unreadable(id, problemAt(path, fault))
    return [{ kind: known === undefined ? 'CREATE' : 'UPDATE', id, object }]
  })
}

function readable(
  object: XmlObject,
  { className, shapes }: History,
  { shape, faults }: ClassState,
): { readonly id: string; readonly content: Content } | undefined {
  if (object.className !== className || !isObject(object, shapes)) return undefined
  const content = contentOf(object)
  const id = idOfContent(content, shape)
  return id === undefined || faults.has(id) ? undefined : { id, content }
}

async function digestsOf(
  file: string,
  history: History,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  await using handle: FileHandle = await openXml(file)
  const { classes } = await readSnapshot(handle, file, history.shapes, signal)
  const digests = new Map<string, string>()
  // Without a schema, there may have been no object of the type yet.
  const state = classes.get(history.className)
  if (!state) return digests
  for await (const objects of objectsIn(handle, file, signal))
    for (const object of objects) {
      const known = readable(object, history, state)
      if (known) digests.set(known.id, digestOf(known.content))
    }
  for (const [id, fault] of state.faults) digests.set(id, faultDigest(fault))
  return digests
}

function faultDigest({ checksum }: Fault): string {
  return `unreadable ${checksum}`
}

function digestOf(content: Content): string {
  return createHash('sha1').update(textOfContent(content)).digest('base64')
}

function baseOf({ path, className }: History): string {
  return `${path}.${className}`
}
