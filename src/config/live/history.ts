import { pages } from '../../kit/cookies.ts'
import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { isSealed } from '../../model/secrecy.ts'
import type { ConfigurationStore } from '../../repository/configuration-store.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import { type ConnectorSchemas, masked } from './secret-values.ts'

/**
 * A version of a configuration file: one per change, with the text before and after, so that any of them can be put back as
 * it was. The store keeps them; the file itself is the truth. A version is PENDING from before its file is written until it is
 * certain that it was: for one that a dead process left, the file decides. A text with secrets in clear is stored encrypted.
 */
export interface Version {
  readonly id: string
  /** e.g. `sync`, `provisioner.openicf/hr`. */
  readonly configId: string
  readonly operation: 'create' | 'update' | 'delete'
  /** FILE: the file was changed with an editor. */
  readonly origin: 'REST' | 'FILE'
  readonly state: 'PENDING' | 'DONE'
  /** ISO 8601. */
  readonly timestamp: string
  readonly userId: string
  readonly transactionId: string
  /** null: there was no such file. */
  readonly before: string | null
  readonly after: string | null
}

export type Author = Pick<Version, 'userId' | 'transactionId'>

/** The author of the server's own changes, and of those made with an editor. */
export const systemAuthor: Author = { userId: 'system', transactionId: 'configuration' }

/** Records a change in the audit; `before` and `after` are contents with secrets masked, undefined without a file. */
export type RecordChange = (
  store: Pick<Repository, 'audit'>,
  version: Version,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
) => Promise<void>

type Decrypt = (value: Json) => Promise<Json>

export interface HistoryOptions {
  readonly repository: Repository
  readonly encrypt: (value: Json) => Promise<Json>
  readonly decrypt: Decrypt
  readonly store: ConfigurationStore
  readonly connectorSchemas: ConnectorSchemas
  readonly record: RecordChange
}

/** The collection of versions. */
export const versionCollection = 'config/history'

/** How many versions are kept per object. */
const kept = 100

/**
 * The history of configuration files: each change stores a version and an audit event in one transaction. A
 * change by request is announced before its file is written, and completed after. Texts are undefined where there is no file.
 */
export class ConfigurationHistory {
  readonly #options: HistoryOptions

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  async announce(
    configId: string,
    before: string | undefined,
    after: string | undefined,
    { userId, transactionId }: Author,
  ): Promise<Version> {
    await this.note(configId, before)
    const author = { userId, transactionId }
    const version = newVersion(configId, before, after, { origin: 'REST', state: 'PENDING', ...author })
    await write(this.#options.repository, 'create', await this.#sealed(version))
    return version
  }

  async complete(version: Version): Promise<void> {
    const { repository } = this.#options
    const sealed = await this.#sealed({ ...version, state: 'DONE' })
    await repository.transaction(async (store) => {
      await write(store, 'update', sealed)
      await this.#record(store, version)
    })
    const surplus = (await this.#newestFirst(version.configId, kept + 50)).slice(kept)
    await remove(repository, surplus)
  }

  /** The change was not made. */
  withdraw(version: Version): Promise<void> {
    return remove(this.#options.repository, [version])
  }

  /** Completes what a dead process announced if the file has that text; drops it otherwise. */
  async completePending(): Promise<void> {
    const { repository, store } = this.#options
    const filter = { kind: 'compare', operator: 'eq', pointer: ['state'], value: 'PENDING' } as const
    for (const stored of (await repository.objects.query(versionCollection, { filter })).result) {
      const version = await openedVersion(stored, this.#options.decrypt)
      const isDone = (await store.read(version.configId))?.text === (version.after ?? undefined)
      await (isDone ? this.complete(version) : this.withdraw(version))
    }
  }

  /** Records a file's text that differs from its last version: it was changed with an editor. */
  async note(configId: string, text: string | undefined): Promise<void> {
    const [latest] = await this.#newestFirst(configId, 1)
    const before = latest?.after ?? undefined
    if (before === text) return
    const version = newVersion(configId, before, text, { origin: 'FILE', state: 'DONE', ...systemAuthor })
    const sealed = await this.#sealed(version)
    await this.#options.repository.transaction(async (store) => {
      await write(store, 'create', sealed)
      // Files that exist when the server first runs are not changes.
      if (latest) await this.#record(store, version)
    })
  }

  /** All present files; other known objects have been deleted. */
  async noteAll(texts: ReadonlyMap<string, string>): Promise<void> {
    for (const [id, text] of texts) await this.note(id, text)
    for (const id of await this.#knownIds()) if (!texts.has(id)) await this.note(id, undefined)
  }

  /** The text of an object's file after one of its versions. NOT_FOUND for other versions. */
  async textAfter(id: string, version: string): Promise<string | undefined> {
    const found = await readVersion(this.#options.repository, version, this.#options.decrypt)
    if (found?.configId !== id)
      throw new Problem('NOT_FOUND', `config/${id} has no version "${version}"; see config/history`)
    return found.after ?? undefined
  }

  /** Secrets in clear are not recorded. */
  #record(store: Store, version: Version): Promise<void> {
    const { connectorSchemas, record } = this.#options
    const content = (text: string | null) => {
      const found = contentOf(text)
      return found && masked(version.configId, found, connectorSchemas)
    }
    return record(store, version, content(version.before), content(version.after))
  }

  /** Ids of all objects that have versions, deleted ones included. */
  async #knownIds(): Promise<ReadonlySet<string>> {
    const known = new Set<string>()
    const query = { filter: { kind: 'literal', value: true }, pageSize: 50 } as const
    const { objects } = this.#options.repository
    for await (const { result } of pages((from) => objects.query(versionCollection, { ...query, ...from })))
      for (const { configId } of result) known.add(String(configId))
    return known
  }

  async #newestFirst(configId: string, pageSize: number): Promise<readonly Version[]> {
    const filter = { kind: 'compare', operator: 'eq', pointer: ['configId'], value: configId } as const
    const query = { filter, sortKeys: [{ pointer: ['_id'], descending: true }], pageSize }
    const { result } = await this.#options.repository.objects.query(versionCollection, query)
    return Promise.all(result.map((stored) => openedVersion(stored, this.#options.decrypt)))
  }

  /** As it is stored. */
  async #sealed({ id, before, after, ...facts }: Version): Promise<StoredVersion> {
    const sealed = (text: string | null) =>
      text !== null && this.#hasSecrets(facts.configId, text) ? this.#options.encrypt(text) : text
    return { id, content: { ...facts, before: await sealed(before), after: await sealed(after) } }
  }

  /** Of a text that is no JSON object, any part could be one. */
  #hasSecrets(configId: string, text: string): boolean {
    const content = contentOf(text)
    return !content || !equal(masked(configId, content, this.#options.connectorSchemas), content)
  }
}

interface StoredVersion {
  readonly id: string
  readonly content: JsonObject
}

function newVersion(
  configId: string,
  before: string | undefined,
  after: string | undefined,
  facts: Pick<Version, 'origin' | 'state'> & Author,
): Version {
  const operation = before === undefined ? 'create' : after === undefined ? 'delete' : 'update'
  const stamped = { id: timeOrderedId(), timestamp: new Date().toISOString(), operation } as const
  return { ...stamped, configId, ...facts, before: before ?? null, after: after ?? null }
}

async function write(
  { objects }: Store,
  operation: 'create' | 'update',
  { id, content }: StoredVersion,
): Promise<void> {
  await objects.write(versionCollection, [{ operation, id, content }])
}

async function remove({ objects }: Store, versions: readonly Version[]): Promise<void> {
  await objects.write(
    versionCollection,
    versions.map(({ id }) => ({ operation: 'delete', id }) as const),
  )
}

export async function readVersion(
  { objects }: Store,
  id: string,
  decrypt: Decrypt,
): Promise<Version | undefined> {
  const stored = (await objects.read(versionCollection, [id])).get(id)
  return stored && openedVersion(stored, decrypt)
}

/** A text whose key is lost is empty, which no file can be. */
export async function openedVersion(
  { _id, _rev, before, after, ...content }: StoredObject,
  decrypt: Decrypt,
): Promise<Version> {
  const opened = (text: Json | undefined) => (isSealed(text) ? decrypt(text as Json).catch(() => '') : text)
  // Only this file writes the collection.
  return {
    id: _id,
    ...content,
    before: await opened(before),
    after: await opened(after),
  } as unknown as Version
}

/** The content of a text; undefined if it is not a JSON object. */
export function contentOf(text: string | null | undefined): JsonObject | undefined {
  try {
    const content: Json = JSON.parse(text ?? 'null')
    return isJsonObject(content) ? content : undefined
  } catch {
    return undefined
  }
}
