import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import { type ConnectorSchemas, masked } from './secret-values.ts'
import {
  addVersion,
  dropVersion,
  knownConfigIds,
  latestVersion,
  newVersion,
  pendingVersions,
  purgeVersions,
  readVersion,
  type Version,
  versionDone,
} from './versions.ts'

export interface Author {
  readonly userId: string
  readonly transactionId: string
}

/** The author of the server's own changes, and of those made with an editor. */
export const systemAuthor: Author = { userId: 'system', transactionId: 'configuration' }

/** Records a change in the audit; `before` and `after` are contents with secrets masked, undefined without a file. */
export type RecordChange = (
  store: Pick<Repository, 'audit'>,
  version: Version,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
) => Promise<void>

export interface HistoryOptions {
  readonly repository: Repository
  readonly connectorSchemas: ConnectorSchemas
  readonly record: RecordChange
  /** The text of a configuration object as it is now; undefined if there is none. */
  readonly present: (id: string) => Promise<string | undefined>
}

/** Texts of a file before and after; undefined where there is none. */
export interface TextChange {
  readonly id: string
  readonly before: string | undefined
  readonly after: string | undefined
}

/**
 * The history of configuration files: each change stores a version and an audit event in one transaction. A
 * change by request is announced before its file is written, and completed after.
 */
export class ConfigurationHistory {
  readonly #options: HistoryOptions

  constructor(options: HistoryOptions) {
    this.#options = options
  }

  async announce({ id, before, after }: TextChange, { userId, transactionId }: Author): Promise<Version> {
    await this.note(id, before)
    const version = newVersion({
      ...{ configId: id, origin: 'REST', state: 'PENDING', userId, transactionId },
      ...{ before: before ?? null, after: after ?? null },
    })
    await addVersion(this.#options.repository, version)
    return version
  }

  async complete(version: Version): Promise<void> {
    const { repository } = this.#options
    await repository.transaction(async (store) => {
      await versionDone(store, version)
      await this.#record(store, version)
    })
    await purgeVersions(repository, version.configId)
  }

  /** The change was not made. */
  withdraw(version: Version): Promise<void> {
    return dropVersion(this.#options.repository, version)
  }

  /** Completes what a dead process announced if the file has that text; drops it otherwise. */
  async completePending(): Promise<void> {
    for (const version of await pendingVersions(this.#options.repository)) {
      const isDone = (await this.#options.present(version.configId)) === (version.after ?? undefined)
      await (isDone ? this.complete(version) : this.withdraw(version))
    }
  }

  /** Records a file's text that differs from its last version: it was changed with an editor. */
  async note(id: string, text: string | undefined): Promise<void> {
    const { repository } = this.#options
    const latest = await latestVersion(repository, id)
    if ((latest?.after ?? undefined) === text) return
    const version = newVersion({
      ...{ configId: id, origin: 'FILE', state: 'DONE' },
      ...{ before: latest?.after ?? null, after: text ?? null },
      ...systemAuthor,
    })
    await repository.transaction(async (store) => {
      await addVersion(store, version)
      // Files that exist when the server first runs are not changes.
      if (latest) await this.#record(store, version)
    })
  }

  /** All present files; other known objects have been deleted. */
  async noteAll(texts: ReadonlyMap<string, string>): Promise<void> {
    for (const [id, text] of texts) await this.note(id, text)
    for (const id of await knownConfigIds(this.#options.repository))
      if (!texts.has(id)) await this.note(id, undefined)
  }

  /** The text of an object's file after one of its versions; undefined if there was no file. NOT_FOUND for other versions. */
  async textAfter(id: string, version: string): Promise<string | undefined> {
    const found = await readVersion(this.#options.repository, version)
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
}

/** The content of a stored text; undefined if it is not a JSON object. */
export function contentOf(text: string | null): JsonObject | undefined {
  if (text === null) return undefined
  try {
    const content = JSON.parse(text) as Json
    return isJsonObject(content) ? content : undefined
  } catch {
    return undefined
  }
}
