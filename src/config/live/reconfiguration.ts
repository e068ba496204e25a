import type { Log } from '../../kit/log.ts'
import { Mutex } from '../../kit/mutex.ts'
import { equal } from '../../model/equality.ts'
import type { JsonObject } from '../../model/json.ts'
import { asProblem, Problem } from '../../model/problem.ts'
import { fileOfId } from '../document-id.ts'
import { formatProblem } from '../locate.ts'
import type { ConfigurationFile, ConfigurationProblem, Project } from '../project.ts'
import { type Candidate, everyProblem, type States, textsOf } from './candidate.ts'
import { editedText } from './edit-text.ts'
import { type Author, ConfigurationHistory, contentOf, type HistoryOptions, systemAuthor } from './history.ts'
import { conflictingUse, newErrors, refuseInUse, refuseProblems } from './refusals.ts'
import { Reload } from './reload.ts'
import { unmasked, withSecrets } from './secret-values.ts'

export interface ReconfigurationOptions<State extends Candidate> extends States<State>, HistoryOptions {
  readonly log: Log
}

/** The new content made from the present one; a text is used as it is, undefined deletes the object. */
export type Edit = (
  present: JsonObject | undefined,
) => JsonObject | string | undefined | Promise<JsonObject | undefined>

/**
 * Changes the configuration of a running server (platform §3.1, [D]). The files of the project are the truth: a
 * change by request is checked as part of the whole, written to its file, put in force and recorded with its version; a change of a
 * file is reloaded (reload.ts). One at a time; a refused change has no effect, and work begun under the old configuration
 * finishes with it.
 *
 * Order of a change: version PENDING → file → version DONE and audit event in one transaction → in force. A process that dies in
 * between leaves the file old or new; `begin` checks which, and completes or drops the version.
 */
export class Reconfiguration<State extends Candidate> {
  readonly #options: ReconfigurationOptions<State>
  readonly #history: ConfigurationHistory
  readonly #files: Reload<State>
  readonly #turn = new Mutex()

  constructor(options: ReconfigurationOptions<State>) {
    this.#options = options
    this.#history = new ConfigurationHistory(options)
    this.#files = new Reload({ ...options, note: (id, text) => this.#note(id, text) })
  }

  /**
   * Gives an object the content that `edit` makes of the present one, as written. CONFIGURATION for content that is not valid, CONFLICT
   * where a run uses what would change, or where something depends on what would be deleted.
   */
  change(id: string, edit: Edit, author: Author): Promise<readonly ConfigurationProblem[]> {
    return this.#turn.run(async () => {
      const warnings = await this.#change(id, edit, author)
      for (const warning of warnings) this.#options.log('warn', formatProblem(warning))
      return warnings
    })
  }

  /**
   * What would be wrong if objects had other contents; undefined deletes one. Stores nothing, and changes nothing. Of one
   * object, what is wrong elsewhere because of it; of several or none, everything.
   */
  validate(
    contents: Readonly<Record<string, JsonObject | undefined>>,
  ): Promise<readonly ConfigurationProblem[]> {
    return this.#turn.run(async () => {
      const { current, prepare } = this.#options
      let files = this.#project().files
      for (const [id, content] of Object.entries(contents))
        files = filesWith(files, { id, file: `conf/${fileOfId(id)}`, text: await this.#textOf(id, content) })
      await using next = await prepare(files)
      const [only, ...others] = Object.keys(contents)
      if (only === undefined || others.length > 0) return await everyProblem(next)
      const file = `conf/${fileOfId(only)}`
      return [...newErrors(next, current(), file), ...(await warningsOf(next, file))]
    })
  }

  /** As it would be written; secrets need not be encrypted for it. */
  async #textOf(id: string, content: JsonObject | undefined): Promise<string | undefined> {
    if (content === undefined) return undefined
    const present = this.#project().documents.find((document) => document.id === id)?.raw
    const whole = this.#whole(id, content, present)
    return editedText((await this.#options.store.read(id))?.text, whole)
  }

  /** Reloads changed files of the project; returns whether there were any. Never rejects because of their content. */
  reload(): Promise<boolean> {
    return this.#turn.run(() => this.#reload())
  }

  /** Completes or drops the changes of a dead process, encrypts secrets in clear, and records changes made meanwhile. */
  begin(): Promise<void> {
    return this.#turn.run(async () => {
      await this.#options.store.tidy()
      await this.#history.completePending()
      await this.#encryptFiles()
      await this.#history.noteAll(textsOf(this.#project()))
    })
  }

  /** The text of an object's file after one of its versions; undefined if there was no file. */
  versionText(id: string, version: string): Promise<string | undefined> {
    return this.#history.textAfter(id, version)
  }

  /** Waits for the running change. */
  idle(): Promise<void> {
    return this.#turn.idle()
  }

  #project(): Project {
    return this.#options.current().project
  }

  /** `keepsOld` false: the old text is not recorded, because it has secrets in clear. */
  async #change(
    id: string,
    edit: Edit,
    author: Author,
    keepsOld = true,
  ): Promise<readonly ConfigurationProblem[]> {
    await this.#reload()
    const { store, current, prepare, activate, inUse } = this.#options
    const file = `conf/${fileOfId(id)}`
    const present = this.#project().documents.find((document) => document.id === id)?.raw
    const stored = await store.read(id)
    const before = stored?.text
    const wanted = await edit(present)
    const after =
      typeof wanted === 'object' ? editedText(before, await this.#safe(id, wanted, present)) : wanted
    if (after === before) return warningsOf(current(), file)
    const next = await prepare(filesWith(this.#project().files, { id, file, text: after }))
    try {
      refuseProblems(id, newErrors(next, current(), file), file)
      refuseInUse(id, conflictingUse(next.entries, current().entries, await inUse()))
      const kept = keepsOld ? before : after
      const version = await this.#history.announce(id, kept, after, author)
      try {
        await store.write(id, after, stored?.revision)
      } catch (error) {
        await this.#history.withdraw(version)
        throw error
      }
      await this.#history.complete(version)
    } catch (error) {
      await next[Symbol.asyncDispose]()
      throw error
    }
    await activate(next)
    this.#files.forget()
    return warningsOf(next, file)
  }

  /** Masks replaced and secrets encrypted. */
  async #safe(id: string, wanted: JsonObject, present: JsonObject | undefined): Promise<JsonObject> {
    const whole = this.#whole(id, wanted, present)
    const { connectorSchemas, encrypt } = this.#options
    return isEncrypted(id) ? withSecrets(id, whole, connectorSchemas, encrypt) : whole
  }

  /** Without what only answers have, and with secrets in the place of masks. */
  #whole(
    id: string,
    { _id, _rev, _warnings, ...content }: JsonObject,
    present: JsonObject | undefined,
  ): JsonObject {
    const { content: whole, unknown } = unmasked(content, present)
    if (unknown.length === 0) return whole
    throw new Problem(
      'CONFIGURATION',
      `config/${id}: ${unknown[0]} is a mask, and there is no secret behind it`,
    )
  }

  async #reload(): Promise<boolean> {
    const isTakenUp = await this.#files.look()
    if (isTakenUp) await this.#encryptFiles()
    return isTakenUp
  }

  /** A text with secrets in clear is not recorded: it is encrypted next, and recorded then. */
  async #note(id: string, text: string | undefined): Promise<void> {
    const raw = contentOf(text)
    if (!raw || !isEncrypted(id) || (await this.#encrypted(id, raw)) === raw)
      await this.#history.note(id, text)
  }

  /** The same object if no secret in it is in clear. */
  async #encrypted(id: string, raw: JsonObject): Promise<JsonObject> {
    const { connectorSchemas, encrypt } = this.#options
    const safe = await withSecrets(id, raw, connectorSchemas, encrypt)
    return equal(safe, raw) ? raw : safe
  }

  /** A secret in clear is encrypted as soon as a server sees it, and the file rewritten (platform §3.3). */
  async #encryptFiles(): Promise<void> {
    const { log, store } = this.#options
    for (const { id, file, raw } of this.#project().documents) {
      if (!raw || !isEncrypted(id)) continue
      const safe = await this.#encrypted(id, raw)
      if (safe === raw) continue
      try {
        const text = editedText((await store.read(id))?.text, safe)
        await this.#change(id, () => text, systemAuthor, false)
        log('info', `${file}: secrets that stood there in clear are encrypted now`)
      } catch (error) {
        log('warn', `${file}: a secret stands there in clear, and stays so: ${asProblem(error).message}`)
      }
    }
  }
}

/** In a file, what is doubtful. */
async function warningsOf(candidate: Candidate, file: string): Promise<readonly ConfigurationProblem[]> {
  const problems = await everyProblem(candidate)
  return problems.filter((problem) => problem.file === file && problem.severity === 'warning')
}

/**
 * Objects whose secrets this server decrypts where it uses them. What nothing here reads may be read by another server on the same
 * project, which could not decrypt it.
 */
export function isEncrypted(id: string): boolean {
  return id.startsWith('provisioner.openicf/') || id === 'external.email'
}

/** The files with one of them changed, in the order of their names as they are read. */
function filesWith(
  files: readonly ConfigurationFile[],
  { id, file, text }: { readonly id: string; readonly file: string; readonly text: string | undefined },
): readonly ConfigurationFile[] {
  const others = files.filter((one) => one.file !== file)
  if (text === undefined) return others
  const changed = [...others, { id, file, bytes: new TextEncoder().encode(text) }]
  return changed.toSorted((a, b) => (a.file < b.file ? -1 : 1))
}
