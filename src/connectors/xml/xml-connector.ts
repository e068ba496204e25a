import { type FileHandle, realpath } from 'node:fs/promises'
import { chunks, repaged } from '../../kit/chunks.ts'
import { Mutex } from '../../kit/mutex.ts'
import { Unreadable } from '../../model/unreadable.ts'
import { attempt, changedMeanwhile, identityOf, isSameFile, requireUnchanged } from '../files/file.ts'
import { isAbandoned, lockFile } from '../files/lock.ts'
import { createFile, removeLeftovers, replaceFile } from '../files/replace.ts'
import type { ChangesPage, SyncToken } from '../kit/changes.ts'
import type { Capabilities, Lifecycle } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ConnectorEntry, ConnectorQuery, SearchEnd } from '../kit/query.ts'
import { isSameSecret } from '../kit/same-secret.ts'
import type { ObjectClass } from '../kit/schema.ts'
import { noSteps } from '../kit/steps.ts'
import type { Attributes, Secret, Value } from '../kit/values.ts'
import type { ConnectorWrite, ConnectorWriteOutcome } from '../kit/write.ts'
import { changesSince, type History, latestToken } from './changes.ts'
import { asObject, contentOf, idOfContent, problemAt } from './content.ts'
import { exists, isAfterLineBreak, openXml } from './file.ts'
import { planPage, refusalOf } from './page.ts'
import { readObjects, type StoredObject } from './read-objects.ts'
import { emptyDocument } from './render.ts'
import type { XmlSettings } from './settings.ts'
import {
  type ClassState,
  isObject,
  missingObject,
  objectsIn,
  readSnapshot,
  requireWhole,
  type Snapshot,
  stateOf,
  unwritable,
} from './snapshot.ts'
import { heldValue, isValue } from './values.ts'
import { classOf, nameName, passwordName, readShapes, type Shape, type Shapes } from './xsd.ts'

/**
 * An XML file as a system (platform §5.6): the children of its root element are the objects, their children the attributes.
 *
 * Reading: an object with an error is one unreadable object; the document is checked as a whole before the first object is handed
 * out. Objects stream.
 *
 * Writing, as in CSV files: a page is one replacement of the file, so readers and crashes see it with the page or
 * without. Writers of Syncline wait for each other; what other programs wrote meanwhile is kept, and only a write to an object that
 * they changed fails. All that is no changed object stays, byte for byte.
 */
type XmlCapabilities = Omit<Capabilities, 'split' | 'page' | 'sorts' | 'locate' | 'runScript' | 'discover'>

const pageSize = 500
/** How often a page is applied again to a file that keeps changing. */
const attempts = 5

export class XmlConnector implements Lifecycle, XmlCapabilities {
  readonly displayName = 'XML Connector'
  readonly #settings: XmlSettings
  #shapes: Shapes | undefined
  /** The version of the file that was read or written last. */
  #snapshot: Snapshot | undefined
  /** The index belongs to one operation at a time. */
  readonly #turn = new Mutex()
  #hasLooked = false
  #hasCleanedUp = false

  constructor(settings: XmlSettings) {
    this.#settings = settings
  }

  agreedNames(): Readonly<Record<string, string>> {
    return { __NAME__: nameName, __PASSWORD__: passwordName }
  }

  async test(signal?: AbortSignal, steps = noSteps): Promise<void> {
    const { file } = this.#settings
    steps.enter('open', file)
    await using handle = await this.#open(signal)
    steps.enter('content')
    const { classes } = await this.#turn.run(() => this.#current(handle, signal))
    steps.tell(`types of objects: ${[...classes.keys()].join(', ') || 'none'}`)
    for (const state of classes.values()) requireWhole(state, file)
  }

  async schema(signal?: AbortSignal): Promise<Readonly<Record<string, ObjectClass>>> {
    return this.#reading(async (_, { classes }) => {
      const described = Array.from(classes, ([name, { shape }]) => [
        name,
        classOf(shape, this.#forms !== undefined),
      ])
      return Object.fromEntries(described)
    }, signal)
  }

  async *search(
    { objectClass, fields, pageSize: size = pageSize }: ConnectorQuery,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly ConnectorEntry[], SearchEnd> {
    const { file } = this.#settings
    await using handle = await this.#open(signal)
    const snapshot = await this.#turn.run(() => this.#current(handle, signal))
    const { shape, faults, listing } = this.#state(snapshot, objectClass)
    const shapes = this.#forms
    async function* unchanged() {
      yield* objectsIn(handle, file, signal)
      await requireUnchanged(handle, snapshot.identity, file)
    }
    yield* repaged(unchanged(), size, (object) => {
      if (object.className !== objectClass || !isObject(object, shapes)) return undefined
      const content = contentOf(object)
      const id = idOfContent(content, shape)
      return id === undefined || faults.has(id) ? undefined : asObject(id, content, shape, fields)
    })
    yield* chunks(
      Array.from(faults, ([id, fault]) => new Unreadable(id, problemAt(file, fault))),
      size,
    )
    return listing
  }

  async readMany(
    objectClass: string,
    ids: readonly string[],
    fields?: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, ConnectorEntry>> {
    return this.#reading(async (handle, found) => {
      const { stored, state } = await this.#stored(handle, found, objectClass, ids)
      const entries = new Map<string, ConnectorEntry>()
      for (const id of ids) {
        const object = state.faults.has(id) ? undefined : stored.get(id)
        const entry = object
          ? asObject(id, object.content, state.shape, fields)
          : missingObject(id, state, this.#settings.file)
        if (entry) entries.set(id, entry)
      }
      return entries
    }, signal)
  }

  async count(objectClass: string, signal?: AbortSignal): Promise<number> {
    return this.#reading(async (_, snapshot) => {
      const { index, faults } = this.#state(snapshot, objectClass)
      return index.size + [...faults.keys()].filter((id) => !index.has(id)).length
    }, signal)
  }

  deltas(objectClass: string, attribute: string): boolean {
    return this.#formOf(objectClass)?.attributes.get(attribute)?.multivalued ?? false
  }

  ordered(): boolean {
    return true
  }

  idOf(objectClass: string, attributes: Attributes, proposed?: string): string | undefined {
    if (this.#formOf(objectClass)?.hasUid) return proposed
    const name = attributes[nameName]
    return typeof name === 'string' && isValue(name) ? name.trim() : proposed
  }

  exchangesIds(): boolean {
    return true
  }

  held(objectClass: string, name: string, value: Value): Value {
    const attribute = this.#formOf(objectClass)?.attributes.get(name)
    return attribute ? heldValue(value, attribute) : value
  }

  async refusals(
    objectClass: string,
    writes: readonly ConnectorWrite[],
  ): Promise<readonly (Error | undefined)[]> {
    const shape = this.#writable(objectClass)
    return writes.map((write) => refusalOf(write, shape, objectClass))
  }

  async writeMany(
    objectClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly ConnectorWriteOutcome[]> {
    this.#writable(objectClass)
    if (writes.length === 0) return []
    return this.#turn.run(async () => {
      await this.#prepare()
      const path = await this.#path()
      await using lock = await lockFile(path)
      if (lock.broken || !this.#hasCleanedUp) await removeLeftovers(path)
      this.#hasCleanedUp = true
      const known = this.#snapshot?.classes.get(objectClass)
      for (let attempt = 0; attempt < attempts; attempt++) {
        signal?.throwIfAborted()
        const outcomes = await this.#writeOnce(path, objectClass, writes, known)
        if (outcomes) return outcomes
      }
      throw new ConnectorError(
        'conflict',
        `${path} is changed by another program again and again; nothing was written`,
      )
    })
  }

  async latestToken(objectClass: string): Promise<SyncToken> {
    return this.#turn.run(async () => {
      await this.#prepare()
      return latestToken(await this.#history(objectClass))
    })
  }

  async *changesSince(
    objectClass: string,
    token: SyncToken | null,
    signal?: AbortSignal,
  ): AsyncGenerator<ChangesPage, SearchEnd> {
    await this.#prepare()
    return yield* changesSince(await this.#history(objectClass), token, signal)
  }

  async authenticate(
    objectClass: string,
    username: string,
    password: Secret,
    signal?: AbortSignal,
  ): Promise<string> {
    const account = await this.#reading(async (handle, found) => {
      const id = this.#state(found, objectClass).names.get(username)
      if (id === undefined) return undefined
      return (await this.#stored(handle, found, objectClass, [id])).stored.get(id)
    }, signal)
    const held = account?.content.get(passwordName)?.find(isValue)
    if (account && held !== undefined && isSameSecret(held, password)) return account.id
    const message = `The password is wrong, or there is no account "${username}"`
    throw new ConnectorError('wrongCredentials', message)
  }

  async resolveUsername(objectClass: string, username: string, signal?: AbortSignal): Promise<string> {
    const id = await this.#reading(
      async (_, found) => this.#state(found, objectClass).names.get(username),
      signal,
    )
    if (id !== undefined) return id
    throw new ConnectorError(
      'unknownId',
      `${this.#settings.file} has no ${objectClass} with the name "${username}"`,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turn.idle()
    this.#snapshot = undefined
  }

  /** The page on the file as it is now; undefined if the file changed before the page was in it. */
  async #writeOnce(
    path: string,
    className: string,
    writes: readonly ConnectorWrite[],
    known: ClassState | undefined,
  ): Promise<readonly ConnectorWriteOutcome[] | undefined> {
    const { file } = this.#settings
    await using handle = await openXml(path)
    const touched = writes.flatMap((write) => (write.operation === 'create' ? [] : [write.id]))
    const found = await this.#stored(handle, await this.#current(handle), className, touched)
    const { stored, state, snapshot } = found
    const shapes = this.#forms
    if (snapshot.broken || !snapshot.root || !shapes) throw unwritable(file, snapshot)
    const facts = { file, className, state, stored, known }
    const opensLine = !(await isAfterLineBreak(handle, snapshot.root.closing))
    const page = planPage(writes, facts, snapshot, { root: snapshot.root, shapes }, opensLine)
    if (page.edits.length === 0) return page.outcomes
    const identity = await replaceFile(path, handle, snapshot.identity, page.edits)
    if (identity === undefined) return undefined
    const after = page.follow()
    const hasFaults = [...snapshot.classes.values()].some(({ faults }) => faults.size > 0)
    // The lines that its errors name have moved.
    this.#snapshot = after && !hasFaults ? { ...after, identity } : undefined
    return page.outcomes
  }

  /** The objects of these ids. If the index does not match the file, it is rebuilt. */
  async #stored(
    handle: FileHandle,
    snapshot: Snapshot,
    className: string,
    ids: readonly string[],
  ): Promise<{
    readonly stored: ReadonlyMap<string, StoredObject>
    readonly state: ClassState
    readonly snapshot: Snapshot
  }> {
    const { file } = this.#settings
    const state = this.#state(snapshot, className)
    const stored = await this.#at(handle, snapshot, className, ids)
    if (stored) return { stored, state, snapshot }
    this.#snapshot = undefined
    const anew = await this.#current(handle)
    const found = await this.#at(handle, anew, className, ids)
    if (!found) throw changedMeanwhile(file)
    return { stored: found, state: this.#state(anew, className), snapshot: anew }
  }

  async #at(handle: FileHandle, snapshot: Snapshot, className: string, ids: readonly string[]) {
    const { root } = snapshot
    if (!root) return new Map<string, StoredObject>()
    return readObjects(handle, this.#state(snapshot, className), root, ids, this.#settings.file)
  }

  async #reading<T>(
    work: (handle: FileHandle, snapshot: Snapshot) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#turn.run(async () => {
      await using handle = await this.#open(signal)
      return await work(handle, await this.#current(handle, signal))
    })
  }

  async #open(signal?: AbortSignal): Promise<FileHandle> {
    signal?.throwIfAborted()
    await this.#prepare()
    return openXml(this.#settings.file)
  }

  /** Creates the file where that is wanted, and removes what a dead writer left; a read-only process leaves it there. */
  async #prepare(): Promise<void> {
    const { file, createsFile } = this.#settings
    const shapes = this.#forms
    if (createsFile && shapes && !(await exists(file))) await createFile(file, emptyDocument(shapes))
    if (this.#hasLooked) return
    this.#hasLooked = true
    try {
      const path = await this.#path()
      if (!(await isAbandoned(path))) return
      await using _ = await lockFile(path)
      await removeLeftovers(path)
    } catch {
      // Errors of the file are reported when it is opened.
    }
  }

  /** The snapshot of exactly this version of the file. */
  async #current(handle: FileHandle, signal?: AbortSignal): Promise<Snapshot> {
    if (!this.#snapshot || !isSameFile(this.#snapshot.identity, await identityOf(handle)))
      this.#snapshot = await readSnapshot(handle, this.#settings.file, this.#forms, signal)
    return this.#snapshot
  }

  /** A link stays a link: its target is replaced. */
  async #path(): Promise<string> {
    return attempt(this.#settings.file, 'opened', () => realpath(this.#settings.file))
  }

  async #history(className: string): Promise<History> {
    return { path: await this.#path(), className, shapes: this.#forms }
  }

  /** What the XML Schema says; undefined without one. */
  get #forms(): Shapes | undefined {
    const { xsdFile } = this.#settings
    if (xsdFile !== undefined) this.#shapes ??= readShapes(xsdFile, this.#settings)
    return this.#shapes
  }

  #formOf(className: string): Shape | undefined {
    return this.#forms?.classes.get(className)
  }

  #writable(className: string): Shape {
    const { file, xsdFile } = this.#settings
    if (!this.#forms)
      throw new ConnectorError(
        'misconfigured',
        `${file} is only read: xsdFilePath is missing, which names the attributes of objects`,
      )
    const shape = this.#formOf(className)
    if (shape) return shape
    throw new ConnectorError('unknownClass', `${xsdFile} has no type of objects named ${className}`)
  }

  #state(snapshot: Snapshot, className: string): ClassState {
    const { file, xsdFile } = this.#settings
    return stateOf(snapshot, className, xsdFile ?? file)
  }
}
