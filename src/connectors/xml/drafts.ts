import { timeOrderedId } from '../../kit/time-ordered-id.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { NativeAttribute } from '../kit/schema.ts'
import type { Value } from '../kit/values.ts'
import { type AttributeChange, type ConnectorWrite, settingOf, valueAfter } from '../kit/write.ts'
import { type Content, idOfContent, nameOfContent, problemAt } from './content.ts'
import type { StoredObject } from './read-objects.ts'
import type { ClassState } from './snapshot.ts'
import { isValue, textsOf, valueOfTexts } from './values.ts'
import { nameName, type Shape, uidName } from './xsd.ts'

export interface PageFacts {
  readonly file: string
  readonly className: string
  readonly state: ClassState
  /** The objects that the page updates or deletes, by id. */
  readonly stored: ReadonlyMap<string, StoredObject>
  /** What the connector knew before it noticed a write by another program. */
  readonly known: ClassState | undefined
}

/** An object while the page is applied; no `before`: new; no `content`: deleted. */
export interface Draft {
  readonly before: StoredObject | undefined
  content: Content | undefined
  /** The writes that gave it its id and its name; -1: it has those of the file. */
  idBy: number
  nameBy: number
}

type Key = 'id' | 'name'

/**
 * The objects that a page has touched. An object may take the id or the name of another one, which may still give it up: whoever
 * shares one at the end of the page is refused it. Until then an id names the object that has had it longest.
 */
export class Drafts {
  readonly #facts: PageFacts
  readonly #refused: ReadonlySet<number>
  readonly #all = new Set<Draft>()
  readonly #holders = new Map<string, Draft[]>()

  /** `refused`: the places of writes that are known to want what stays with another object. */
  constructor(facts: PageFacts, refused: ReadonlySet<number>) {
    this.#facts = facts
    this.#refused = refused
  }

  /** Returns the id and the content after the write; of a deleted object, as it was. `place`: of the write in its page. */
  apply(write: ConnectorWrite, place: number): { readonly id: string; readonly content: Content } {
    const { shape } = this.#facts.state
    if (write.operation === 'create') {
      const content = newContent(write, shape, this.#facts.className)
      this.#requireAllowed(place, content)
      const draft: Draft = { before: undefined, content, idBy: place, nameBy: place }
      const id = this.#hold(draft, content)
      return { id, content }
    }
    const draft = this.#existing(write.id)
    const present = draft.content ?? new Map()
    if (write.operation === 'delete') {
      this.#release(write.id, draft)
      draft.content = undefined
      return { id: write.id, content: present }
    }
    const content = changedContent(present, write.changes, shape, this.#facts.className)
    const id = idOfContent(content, shape)
    const hasNewName = nameOfContent(content) !== nameOfContent(present)
    if (hasNewName) this.#requireAllowed(place, content)
    draft.content = content
    if (hasNewName) draft.nameBy = place
    if (id === write.id) return { id, content }
    this.#release(write.id, draft)
    draft.idBy = place
    return { id: this.#hold(draft, content), content }
  }

  changed(): readonly Draft[] {
    return [...this.#all].filter(({ before, content }) => before?.content !== content)
  }

  /** The places of the writes that gave objects an id or a name of another object. */
  contested(): readonly number[] {
    return [...this.#contestedBy('id'), ...this.#contestedBy('name')]
  }

  *#contestedBy(key: Key): Iterable<number> {
    const first = new Map<string, Draft>()
    for (const draft of this.#all) {
      const value = draft.content && this.#keyOf(draft.content, key)
      if (value === undefined) continue
      const place = placeOf(draft, key)
      const other = first.get(value)
      if (other) {
        yield Math.max(place, placeOf(other, key))
        if (placeOf(other, key) < place) continue
      } else if (place >= 0 && this.#stays(value, key)) yield place
      first.set(value, draft)
    }
  }

  /** An object that no write of the page names has it. */
  #stays(value: string, key: Key): boolean {
    const { index, faults, names } = this.#facts.state
    if (key === 'id') return faults.has(value) || (index.has(value) && !this.#facts.stored.has(value))
    const id = names.get(value)
    return id !== undefined && !this.#facts.stored.has(id)
  }

  #keyOf(content: Content, key: Key): string | undefined {
    return key === 'id' ? idOfContent(content, this.#facts.state.shape) : nameOfContent(content)
  }

  #requireAllowed(place: number, content: Content): void {
    if (!this.#refused.has(place)) return
    const { file, className, state } = this.#facts
    const id = idOfContent(content, state.shape)
    const fact = `${file} already has an object of the type ${className} with the id "${id}" or the name "${nameOfContent(content)}"`
    throw new ConnectorError('alreadyExists', fact)
  }

  #existing(id: string): Draft {
    const { state, known, file, className } = this.#facts
    const fault = state.faults.get(id)
    if (fault) throw problemAt(file, fault)
    const [draft] = this.#held(id)
    if (!draft)
      throw new ConnectorError(
        'unknownId',
        `${file} has no object of the type ${className} with the id "${id}"`,
      )
    const then = draft.before?.id === id ? known?.index.checksum(id) : undefined
    if (then === undefined || then === state.index.checksum(id)) return draft
    const fact = `another program has changed the object with the id "${id}" since it was read`
    throw new ConnectorError('changed', `${file}: ${fact}`)
  }

  #held(id: string): Draft[] {
    const held = this.#holders.get(id)
    if (held) return held
    const before = this.#facts.stored.get(id)
    const holders: Draft[] = []
    if (before) {
      const draft = { before, content: before.content, idBy: -1, nameBy: -1 }
      holders.push(draft)
      this.#all.add(draft)
    }
    this.#holders.set(id, holders)
    return holders
  }

  #hold(draft: Draft, content: Content): string {
    const id = idOfContent(content, this.#facts.state.shape) ?? ''
    this.#held(id).push(draft)
    this.#all.add(draft)
    return id
  }

  #release(id: string, draft: Draft): void {
    const held = this.#held(id)
    held.splice(held.indexOf(draft), 1)
  }
}

function placeOf({ idBy, nameBy }: Draft, key: Key): number {
  return key === 'id' ? idBy : nameBy
}

type Creation = Extract<ConnectorWrite, { readonly operation: 'create' }>

export function newContent({ id, attributes }: Creation, shape: Shape, className: string): Content {
  const content = new Map<string, readonly string[]>()
  if (shape.hasUid) content.set(uidName, [id ?? timeOrderedId()])
  return changedContent(content, settingOf(attributes), shape, className, 'creatable')
}

/** Throws what the schema has against it. */
export function changedContent(
  before: Content,
  changes: readonly AttributeChange[],
  shape: Shape,
  className: string,
  permission: 'creatable' | 'updateable' = 'updateable',
): Content {
  const content = new Map(before)
  for (const change of changes) {
    const attribute = shape.attributes.get(change.attribute)
    if (!attribute) throw violation(change.attribute, `is no attribute of the type ${className}`)
    const texts = textsAfter(content.get(attribute.name) ?? [], change, attribute)
    const present = (content.get(attribute.name) ?? []).filter(isValue)
    if (JSON.stringify(texts) === JSON.stringify(present)) continue
    if (attribute[permission] === false)
      throw violation(attribute.name, `is not ${permission}, as its schema says`)
    if (texts.length === 0) content.delete(attribute.name)
    else content.set(attribute.name, texts)
    if (texts.length === 0 && attribute.required) throw missing(attribute.name)
  }
  if (permission === 'creatable') requireAll(content, shape)
  return content
}

function requireAll(content: Content, { attributes }: Shape): void {
  for (const { name, required } of attributes.values())
    if (required && !content.has(name)) throw missing(name)
}

function textsAfter(
  present: readonly string[],
  change: AttributeChange,
  attribute: NativeAttribute,
): readonly string[] {
  const before: Value | undefined = change.kind === 'delta' ? valueOfTexts(present, attribute) : undefined
  const after = valueAfter(before, change)
  return after === undefined ? [] : textsOf(after, attribute)
}

function missing(name: string): ConnectorError {
  return violation(
    name,
    name === nameName ? 'is the name of the object; it cannot be empty' : 'must have a value',
  )
}

function violation(name: string, fact: string): ConnectorError {
  return new ConnectorError('schemaViolation', `${name} ${fact}`, { attribute: name })
}
