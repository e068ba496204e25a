import type { FileHandle } from 'node:fs/promises'
import { crc32 } from 'node:zlib'
import { completeListing, type Listing } from '../../model/listing.ts'
import { Unreadable } from '../../model/unreadable.ts'
import { chunksOf, type FileIdentity, identityOf, requireUnchanged } from '../files/file.ts'
import { RowIndex } from '../files/row-index.ts'
import { ConnectorError } from '../kit/errors.ts'
import {
  type Content,
  contentOf,
  faultOf,
  idOfContent,
  nameOfContent,
  problemAt,
  textOfContent,
} from './content.ts'
import { type Damage, NotWellFormed, Refused, type Root, type XmlObject, XmlReader } from './reader.ts'
import type { Shape, Shapes } from './xsd.ts'

/**
 * What is known about one state of the file. What is wrong with an object is only that object's; where its id is not known, the
 * listing of its type is partial. A document that is not well-formed is read up to there, and no listing of it is complete.
 */
export interface Snapshot {
  readonly identity: FileIdentity
  readonly root: Root | undefined
  readonly classes: ReadonlyMap<string, ClassState>
  /** Why the rest of the file was not read: then nothing can be written. */
  readonly broken: Damage | undefined
}

export interface ClassState {
  readonly shape: Shape
  readonly index: RowIndex
  /** The id of each name. */
  readonly names: Map<string, string>
  /** By id. They take precedence over the index. */
  readonly faults: ReadonlyMap<string, Fault>
  readonly listing: Listing
}

export interface Fault extends Damage {
  readonly checksum: number
}

/** The objects of an open file; returns why the rest cannot be read. */
export async function* objectsIn(
  handle: FileHandle,
  file: string,
  signal?: AbortSignal,
): AsyncGenerator<
  readonly XmlObject[],
  { readonly root: Root | undefined; readonly broken: Damage | undefined }
> {
  const reader = new XmlReader()
  try {
    for await (const chunk of chunksOf(handle, 0, file)) {
      signal?.throwIfAborted()
      yield reader.push(chunk)
    }
    yield reader.end()
    return { root: reader.root, broken: undefined }
  } catch (error) {
    if (!(error instanceof NotWellFormed)) throw error
    const { line, column, fact } = error.damage
    if (error instanceof Refused)
      throw new ConnectorError('misconfigured', `${file}, line ${line}, column ${column}: ${fact}`)
    yield reader.taken()
    return { root: reader.root, broken: error.damage }
  }
}

/** Every object can be read, and all of them are known. */
export function requireWhole({ faults, listing }: ClassState, file: string): void {
  if (listing.state !== 'complete') throw new ConnectorError('unreadable', listing.reason)
  for (const fault of faults.values()) throw problemAt(file, fault)
}

export async function readSnapshot(
  handle: FileHandle,
  file: string,
  shapes: Shapes | undefined,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const identity = await identityOf(handle)
  const reports = new Map<string, ClassReport>()
  for (const [name, shape] of shapes?.classes ?? []) reports.set(name, new ClassReport(shape))
  const objects = objectsIn(handle, file, signal)
  let next = await objects.next()
  for (; !next.done; next = await objects.next())
    for (const object of next.value) reportOf(object, reports, shapes)?.take(object)
  const { root, broken } = next.value
  await requireUnchanged(handle, identity, file)
  const classes = new Map([...reports].map(([name, report]) => [name, report.state(file, broken)]))
  return { identity, root, classes, broken }
}

/** Without a schema, what is in the namespace of the root element is no object. */
export function isObject({ isOfRoot }: XmlObject, shapes: Shapes | undefined): boolean {
  return shapes !== undefined || !isOfRoot
}

function reportOf(object: XmlObject, reports: Map<string, ClassReport>, shapes: Shapes | undefined) {
  const known = reports.get(object.className)
  if (known || shapes) return known
  const report = new ClassReport()
  reports.set(object.className, report)
  return report
}

/** Collects what the objects of one type are while the file is read. */
class ClassReport {
  readonly #shape: Shape | undefined
  readonly #index = new RowIndex()
  readonly #names = new Map<string, string>()
  readonly #faults = new Map<string, Fault>()
  /** Attributes that objects have, and whether one has several values. Only without a schema. */
  readonly #seen = new Map<string, boolean>()
  #hasUid = false
  #doubt: Damage | undefined
  #doubts = 0
  #isPartial = false

  constructor(shape?: Shape) {
    this.#shape = shape
  }

  take(object: XmlObject): void {
    const content = contentOf(object)
    const shape = this.#shape ?? this.#see(content)
    const id = idOfContent(content, shape)
    if (id === undefined) {
      this.#isPartial = true
      this.#suspect({ ...object, fact: `an object of the type ${object.className} without an id` })
      return
    }
    const checksum = crc32(textOfContent(content))
    const { start, end, line, column } = object
    if (this.#index.has(id) || this.#faults.has(id)) {
      const fact = `the id "${id}" is that of an earlier object, too`
      this.#faults.set(id, { line, column, fact, checksum })
      this.#suspect({ line, column, fact })
      return
    }
    const nameFault = this.#takenName(id, content, object)
    const fault = faultOf(object, content, shape) ?? nameFault
    if (fault) this.#faults.set(id, { ...fault, checksum })
    else this.#index.add(id, { start, end, terminator: 0, text: textOfContent(content) })
  }

  state(file: string, broken: Damage | undefined): ClassState {
    const shape = this.#shape ?? this.#shapeSeen()
    const listing = broken
      ? ({ state: 'partial', reason: `${whereOf(file, broken)}; the rest of the file was not read` } as const)
      : this.#listing(file)
    return { shape, index: this.#index, names: this.#names, faults: this.#faults, listing }
  }

  #listing(file: string): Listing {
    if (!this.#doubt) return completeListing
    const more = this.#doubts > 1 ? `, and ${this.#doubts - 1} more like this` : ''
    return { state: this.#isPartial ? 'partial' : 'suspect', reason: `${whereOf(file, this.#doubt)}${more}` }
  }

  #suspect({ line, column, fact }: Damage): void {
    this.#doubts++
    this.#doubt ??= { line, column, fact }
  }

  #takenName(id: string, content: Content, { line, column }: XmlObject): Damage | undefined {
    const name = nameOfContent(content)
    const other = name === undefined ? undefined : this.#names.get(name)
    if (other !== undefined)
      return { line, column, fact: `the name "${name}" is that of the object "${other}", too` }
    if (name !== undefined) this.#names.set(name, id)
    return undefined
  }

  #see(content: Content): Shape {
    for (const [name, texts] of content) {
      if (name === '__UID__') this.#hasUid = true
      else this.#seen.set(name, texts.length > 1 || this.#seen.get(name) === true)
    }
    return anyShape
  }

  #shapeSeen(): Shape {
    const attributes = Array.from(this.#seen, ([name, multivalued]) => {
      const isName = name === '__NAME__'
      const facts = { secret: name === '__PASSWORD__', required: isName, unique: isName }
      return [name, { name, type: 'string', multivalued, comparison: 'exact', ...facts }] as const
    })
    return { attributes: new Map(attributes), hasUid: this.#hasUid }
  }
}

const anyShape: Shape = { attributes: new Map(), hasUid: true }

function whereOf(file: string, { line, column, fact }: Damage): string {
  return `${file}, line ${line}, column ${column}: ${fact}`
}

/** The object of an id has an error, or might be one that cannot be read; undefined: there is no such object. */
export function missingObject(
  id: string,
  { faults, listing }: ClassState,
  file: string,
): Unreadable | undefined {
  const fault = faults.get(id)
  if (fault) return new Unreadable(id, problemAt(file, fault))
  if (listing.state !== 'partial') return undefined
  const fact = `no object that can be read has the id "${id}", and not all can be read`
  return new Unreadable(
    id,
    new ConnectorError('unreadable', `${file}: ${fact}. ${listing.reason}`, { detail: { file } }),
  )
}

/** Why nothing can be written. */
export function unwritable(file: string, { broken }: Snapshot): ConnectorError {
  const damage = broken ?? { line: 1, column: 1, fact: 'there is no root element' }
  return problemAt(file, { ...damage, fact: `${damage.fact}. Nothing is written into a damaged document` })
}

/** `where`: the file that names the types of objects. */
export function stateOf({ classes }: Snapshot, className: string, where: string): ClassState {
  const state = classes.get(className)
  if (state) return state
  const names = [...classes.keys()].join(', ') || 'none'
  throw new ConnectorError(
    'unknownClass',
    `${where} has no type of objects named ${className}; it has: ${names}`,
  )
}
