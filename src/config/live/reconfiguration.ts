import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import type { Repository, Store } from '../../repository/repository.ts'
import { fileOfId } from '../document-id.ts'
import { formatProblem } from '../problem.ts'
import type { ConfigurationFile, ConfigurationProblem, Project } from '../project.ts'
import { editedText } from './edit-text.ts'
import { inUse, newErrors, type Occupancy, refuseOccupied, refuseProblems } from './refusals.ts'
import { type ConnectorSchemas, masked, unmasked, withSecrets } from './secret-values.ts'
import { stampOf } from './stamp.ts'
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
import { removeDrafts, writeWhole } from './write-file.ts'

/** A state of the configuration that has been checked as a whole and could be in force. */
export interface Candidate extends AsyncDisposable {
  readonly project: Project
  readonly problems: readonly ConfigurationProblem[]
  /** What the project consists of (`mapping/x`, `system/hr`, `managed/user`), each with everything that makes it what it is. */
  readonly entries: ReadonlyMap<string, string>
}

export interface ReconfigurationOptions<State extends Candidate> {
  readonly repository: Repository
  readonly current: () => State
  /** Reads and checks the project as it would be with these files; changes nothing. */
  readonly prepare: (files: readonly ConfigurationFile[] | undefined) => Promise<State>
  /** Puts it in force; does not fail. */
  readonly activate: (state: State) => Promise<void>
  /** What is being worked with, and by whom. */
  readonly occupied: () => Promise<readonly Occupancy[]>
  readonly connectorSchemas: ConnectorSchemas
  readonly encrypt: (value: Json) => Promise<Json>
  /** Records a change, in the given transaction's store. */
  readonly record: Record
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

/** `before` and `after` are contents, undefined where there was or is none. */
export type Record = (
  store: Pick<Repository, 'audit'>,
  version: Version,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
) => Promise<void>

export interface Author {
  readonly userId: string
  readonly transactionId: string
}

/** The server's own work, and that of people with an editor. */
const nobody: Author = { userId: 'system', transactionId: 'configuration' }

/**
 * Changes the configuration of a server that runs (platform specification §3.1, [D]). The files of the project are the truth: a
 * change by request is checked as part of the whole, written to its file, put in force and recorded with its version; a change of a
 * file is taken up, checked the same way. One after the other; what is refused changes nothing, and what uses the old
 * configuration finishes with it.
 *
 * Order of a change: version PENDING → file → in force → version DONE and audit event in one transaction. A process that dies in
 * between leaves the file old or new; `begin` looks which, and completes or drops the version.
 */
export class Reconfiguration<State extends Candidate> {
  readonly #options: ReconfigurationOptions<State>
  #turn: Promise<unknown> = Promise.resolve()
  /** The files as they were when they were last looked at. */
  #seen = ''
  #said: string | undefined

  constructor(options: ReconfigurationOptions<State>) {
    this.#options = options
  }

  /**
   * Gives an object the content that `edit` makes of the present one (as written, undefined where there is none; answering
   * undefined takes the object away). Answers the file's text before. CONFIGURATION for content that is not valid, CONFLICT
   * where a run uses what would change, or where something else depends on what would go.
   */
  change(
    id: string,
    edit: (
      present: JsonObject | undefined,
    ) => JsonObject | string | undefined | Promise<JsonObject | undefined>,
    author: Author,
  ): Promise<void> {
    return this.#inTurn(() => this.#change(id, edit, author))
  }

  /** Takes up what has changed in the project's files; answers whether anything did. Never rejects because of what is in them. */
  takeUp(): Promise<boolean> {
    return this.#inTurn(() => this.#takeUp())
  }

  /** Settles what a dead process left, encrypts what stands in files in clear, and takes note of what changed meanwhile. */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      await removeDrafts(`${this.#options.current().project.folder}/conf`)
      await this.#settle()
      await this.#encryptFiles()
      await this.#noteChanges()
    })
  }

  /** The text that an object's file had after one of its versions; undefined: there was none. */
  async versionText(id: string, version: string): Promise<string | undefined> {
    const found = await readVersion(this.#options.repository, version)
    if (found?.configId !== id)
      throw new Problem('NOT_FOUND', `config/${id} has no version "${version}"; see config/history`)
    return found.after ?? undefined
  }

  /** Waits for a change that is under way. */
  async settled(): Promise<void> {
    await this.#turn
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work, work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #change(
    id: string,
    edit: Parameters<Reconfiguration<State>['change']>[1],
    author: Author,
  ): Promise<void> {
    await this.#takeUp()
    const { current, repository } = this.#options
    const file = `conf/${fileOfId(id)}`
    const present = current().project.documents.find((document) => document.id === id)
    const before = await this.#onDisk(id)
    const wanted = await edit(present?.raw)
    const after =
      typeof wanted === 'string'
        ? wanted
        : wanted && editedText(before, await this.#safe(id, wanted, present?.raw))
    if (after === before) return
    const files = filesWith(current().project.files, { id, file, text: after })
    const next = await this.#options.prepare(files)
    try {
      refuseProblems(id, newErrors(next, current(), file), file)
      refuseOccupied(id, inUse(next.entries, current().entries, await this.#options.occupied()))
      await this.#note(id, before)
      const version = newVersion({
        ...{ configId: id, origin: 'REST', state: 'PENDING', before: before ?? null, after: after ?? null },
        ...{ userId: author.userId, transactionId: author.transactionId },
      })
      await addVersion(repository, version)
      await this.#write(file, after, version)
      await this.#complete(version)
    } catch (error) {
      await next[Symbol.asyncDispose]()
      throw error
    }
    await this.#options.activate(next)
    // What was seen before is not what is there: were the file put back by hand, it would look as if nothing had happened.
    this.#seen = ''
  }

  /** Without masks, and with its secrets encrypted. */
  async #safe(id: string, wanted: JsonObject, present: JsonObject | undefined): Promise<JsonObject> {
    const { _id, _rev, ...content } = wanted
    const { content: whole, unknown } = unmasked(content, present)
    if (unknown.length > 0)
      throw new Problem(
        'CONFIGURATION',
        `config/${id}: ${unknown[0]} is a mask, and there is no secret behind it`,
      )
    const { connectorSchemas, encrypt } = this.#options
    return isEncrypted(id) ? withSecrets(id, whole, connectorSchemas, encrypt) : whole
  }

  async #write(file: string, text: string | undefined, version: Version): Promise<void> {
    try {
      await writeWhole(`${this.#options.current().project.folder}/${file}`, text)
    } catch (error) {
      await dropVersion(this.#options.repository, version)
      throw error
    }
  }

  async #complete(version: Version): Promise<void> {
    await this.#options.repository.transaction(async (store) => {
      await versionDone(store, version)
      await this.#record(store, version)
    })
    await purgeVersions(this.#options.repository, version.configId)
  }

  // What happens to the files

  async #takeUp(): Promise<boolean> {
    const stamp = await stampOf(this.#options.current().project)
    if (stamp === this.#seen) return false
    try {
      const outcome = await this.#look()
      // What waits for somebody to end is looked at again.
      if (outcome !== 'busy') this.#seen = stamp
      return outcome === 'taken up'
    } catch (error) {
      this.#say('error', `the configuration cannot be read: ${asProblem(error).message}; it is as it was`)
      return false
    }
  }

  async #look(): Promise<'nothing new' | 'busy' | 'taken up'> {
    const { current, prepare, activate, occupied } = this.#options
    await using held = new AsyncDisposableStack()
    const disk = held.use(await prepare(undefined))
    const errors = newErrors(disk, current()).map(formatProblem)
    if (errors.length > 0)
      this.#say(
        'error',
        `the configuration has errors; what they concern stays as it was: ${errors.join('; ')}`,
      )
    const next = await this.#withoutBroken(disk)
    if (next === current()) return 'nothing new'
    if (next !== disk) held.use(next)
    if (isSame(next, current())) return 'nothing new'
    const used = inUse(next.entries, current().entries, await occupied())
    if (used) {
      this.#say('info', `a file has changed, and is taken up later: ${used.entry} is in use by ${used.by}`)
      return 'busy'
    }
    const before = current().project.files
    // From here on it is the generation's owner who disposes of it.
    held.move()
    if (next !== disk) await disk[Symbol.asyncDispose]()
    await activate(next)
    await this.#recordFiles(before, next.project.files)
    this.#said = undefined
    return 'taken up'
  }

  /** Once. */
  #say(level: 'info' | 'error', message: string): void {
    if (this.#said !== message) this.#options.log(level, message)
    this.#said = message
  }

  /** With the files that have become unusable as they were before: the others are taken up all the same. */
  async #withoutBroken(disk: State): Promise<State> {
    const { current, prepare } = this.#options
    const before = new Map(current().project.files.map((one) => [one.file, one]))
    const errors = newErrors(disk, current())
    const broken = new Set(errors.map(({ file }) => file).filter((file) => before.has(file)))
    // A file that is new and wrong does no harm to what runs.
    if (errors.every(({ file }) => !before.has(file))) return disk
    const files = disk.project.files.map((one) =>
      broken.has(one.file) ? (before.get(one.file) ?? one) : one,
    )
    const repaired = await prepare(files)
    const remaining = newErrors(repaired, current()).filter(({ file }) => before.has(file))
    if (remaining.length === 0) return repaired
    // What is wrong is in none of these files, but in a script or in what they no longer find: nothing is taken up.
    await repaired[Symbol.asyncDispose]()
    return current()
  }

  async #recordFiles(
    before: readonly ConfigurationFile[],
    after: readonly ConfigurationFile[],
  ): Promise<void> {
    const changed = new Set([...before, ...after].map(({ id }) => id))
    for (const id of changed) {
      const text = textOf(after.find((one) => one.id === id))
      if (text !== textOf(before.find((one) => one.id === id))) await this.#note(id, text)
    }
  }

  /** A file's text that is not what its last version says: somebody has changed the file. */
  async #note(id: string, text: string | undefined): Promise<void> {
    const { repository } = this.#options
    const latest = await latestVersion(repository, id)
    if ((latest?.after ?? undefined) === text) return
    const before = latest?.after ?? null
    const version = newVersion({
      ...{ configId: id, origin: 'FILE', state: 'DONE', before, after: text ?? null },
      ...nobody,
    })
    await repository.transaction(async (store) => {
      await addVersion(store, version)
      // What was there when the server first ran is no change of anybody's.
      if (latest) await this.#record(store, version)
    })
  }

  /** Secrets that stand in a file in clear are not for the record. */
  #record(store: Store, version: Version): Promise<void> {
    const { connectorSchemas, record } = this.#options
    const content = (text: string | null) => {
      const found = contentOf(text)
      return found && masked(version.configId, found, connectorSchemas)
    }
    return record(store, version, content(version.before), content(version.after))
  }

  async #noteChanges(): Promise<void> {
    const { files } = this.#options.current().project
    for (const file of files) await this.#note(file.id, textOf(file))
    const present = new Set(files.map(({ id }) => id))
    for (const id of await knownConfigIds(this.#options.repository))
      if (!present.has(id)) await this.#note(id, undefined)
  }

  async #settle(): Promise<void> {
    const { repository } = this.#options
    for (const version of await pendingVersions(repository)) {
      const text = await this.#onDisk(version.configId)
      if (text === (version.after ?? undefined)) await this.#complete(version)
      else await dropVersion(repository, version)
    }
  }

  /** A secret in clear is encrypted as soon as a server sees it, and the file rewritten (platform specification §3.3). */
  async #encryptFiles(): Promise<void> {
    const { current, connectorSchemas, encrypt, log } = this.#options
    for (const { id, file, raw } of current().project.documents) {
      if (!raw || !isEncrypted(id)) continue
      const safe = await withSecrets(id, raw, connectorSchemas, encrypt)
      if (equal(safe, raw)) continue
      try {
        await this.#change(id, () => editedText(textOf(fileNamed(current().project, file)), safe), nobody)
        log('info', `${file}: secrets that stood there in clear are encrypted now`)
      } catch (error) {
        log('warn', `${file}: a secret stands there in clear, and stays so: ${asProblem(error).message}`)
      }
    }
  }

  async #onDisk(id: string): Promise<string | undefined> {
    const { project } = this.#options.current()
    return project.readFile(`conf/${fileOfId(id)}`)
  }
}

/** Objects whose secrets are decrypted where they are used. */
function isEncrypted(id: string): boolean {
  return /^(?:provisioner\.openicf\/|authentication$|external\.email$|datasource\.jdbc)/.test(id)
}

interface ChangedFile {
  readonly id: string
  readonly file: string
  readonly text: string | undefined
}

/** The files with one of them changed, in the order of their names as they are read. */
function filesWith(
  files: readonly ConfigurationFile[],
  { id, file, text }: ChangedFile,
): readonly ConfigurationFile[] {
  const others = files.filter((one) => one.file !== file)
  if (text === undefined) return others
  const changed = [...others, { id, file, bytes: new TextEncoder().encode(text) }]
  return changed.toSorted((a, b) => (a.file < b.file ? -1 : 1))
}

function fileNamed({ files }: Project, name: string): ConfigurationFile | undefined {
  return files.find(({ file }) => file === name)
}

function textOf(file: ConfigurationFile | undefined): string | undefined {
  return file && new TextDecoder().decode(file.bytes)
}

/** The content of a text that a version keeps; undefined where that is not JSON. */
function contentOf(text: string | null): JsonObject | undefined {
  if (text === null) return undefined
  try {
    const content = JSON.parse(text) as Json
    return isJsonObject(content) ? content : undefined
  } catch {
    return undefined
  }
}

function isSame(a: Candidate, b: Candidate): boolean {
  return a === b || signatureOf(a) === signatureOf(b)
}

function signatureOf({ project, entries }: Candidate): string {
  return JSON.stringify([project.files.map((file) => [file.id, textOf(file)]), [...entries]])
}
