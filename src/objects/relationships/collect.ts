import { equal } from '../../model/equality.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { getAt, parsePointer, setAt } from '../../model/pointer.ts'
import { idsByCollection, type Target } from '../../model/reference.ts'
import type { StoredObject } from '../../repository/objects.ts'
import type { SeenRelationship } from '../../repository/relationships.ts'
import type { Store } from '../../repository/repository.ts'
import { holds } from './constraints.ts'
import { presentOf } from './facts.ts'
import { type CollectedProperty, constraintsProperty, type Related, type RelationshipModel } from './model.ts'
import { keyOf as endKey } from './plan.ts'
import type { Present } from './plan-object.ts'
import { referenceTo } from './wanted.ts'

/**
 * The values of virtual properties by query (platform §6.1, §6.4) for a page of objects: one statement a
 * relationship and one a set of objects on the way, however many objects the page has. A grant, or what it grants,
 * counts only while its temporal constraints hold.
 */
export async function collectedValues(
  store: Store,
  { model, type: { collection, collected } }: Related,
  ids: readonly string[],
  now: number,
  known: KnownRelationships,
): Promise<ReadonlyMap<string, JsonObject>> {
  const values = new Map(ids.map((id): [string, JsonObject] => [id, {}]))
  if (collected.length === 0 || ids.length === 0) return values
  const walk = new Walk({ store, model, now })
  walk.knows(collection, ids, known)
  for (const property of collected) {
    const reached = await Promise.all(property.paths.map((path) => walk.follow(collection, ids, path)))
    for (const [id, object] of values) {
      const targets = distinct(reached.flatMap((byRoot) => byRoot.get(id) ?? []))
      const value = collectedValue(property, targets, model)
      if (value !== undefined) object[property.name] = value
    }
  }
  return values
}

/** Relationships of the objects that have already been read: all those of these properties. */
interface KnownRelationships {
  readonly properties: readonly string[]
  readonly seen: ReadonlyMap<string, Present>
}

interface Reached {
  readonly target: Target
  /** Undefined where nothing of it had to be read. */
  readonly object: StoredObject | undefined
}

interface WalkOptions {
  readonly store: Store
  readonly model: RelationshipModel
  readonly now: number
}

/** Reads what is on the way, each end and each object once. */
class Walk {
  readonly #options: WalkOptions
  /** By end. */
  readonly #seen = new Map<string, readonly SeenRelationship[]>()
  readonly #objects = new Map<string, StoredObject | undefined>()

  constructor(options: WalkOptions) {
    this.#options = options
  }

  knows(collection: string, ids: readonly string[], { properties, seen }: KnownRelationships): void {
    for (const property of properties)
      for (const id of ids)
        this.#seen.set(endKey({ collection, id, property }), seen.get(id)?.get(property) ?? [])
  }

  /** By root: the objects at the end of the path, in the order of the relationships. */
  async follow(
    collection: string,
    ids: readonly string[],
    path: readonly string[],
  ): Promise<ReadonlyMap<string, readonly Reached[]>> {
    const front = new Map<string, readonly Reached[]>(
      ids.map((id) => [id, [{ target: { collection, id }, object: undefined }]]),
    )
    for (const property of path) {
      const from = distinct([...front.values()].flat()).map(({ target }) => target)
      await this.#read(from, property)
      for (const [id, reached] of front)
        front.set(id, distinct(reached.flatMap(({ target }) => this.#next(target, property))))
    }
    return front
  }

  async #read(from: readonly Target[], property: string): Promise<void> {
    const { store, model } = this.#options
    for (const [collection, all] of idsByCollection(from)) {
      if (!model.types.get(collection)?.properties.has(property)) continue
      const unread = all.filter((id) => !this.#seen.has(endKey({ collection, id, property })))
      const seen = await presentOf(store, collection, unread, [property])
      this.knows(collection, unread, { properties: [property], seen })
    }
    await this.#readObjects(from.flatMap((target) => this.#active(target, property)))
  }

  /** The other ends of the relationships whose own time is not over. */
  #active(target: Target, property: string): readonly Target[] {
    const seen = this.#seen.get(endKey({ ...target, property })) ?? []
    return seen
      .filter(({ properties }) => holds(properties[constraintsProperty], this.#options.now))
      .map(({ other }) => other)
  }

  /** One of our objects that was deleted, or whose own time is over, grants nothing. */
  #next(from: Target, property: string): readonly Reached[] {
    const { model, now } = this.#options
    return this.#active(from, property).flatMap((target) => {
      const object = this.#objects.get(keyOf(target))
      const counts = object ? holds(object[constraintsProperty], now) : !model.types.has(target.collection)
      return counts ? [{ target, object }] : []
    })
  }

  async #readObjects(targets: readonly Target[]): Promise<void> {
    const unread = targets.filter(
      (target) => this.#options.model.types.has(target.collection) && !this.#objects.has(keyOf(target)),
    )
    for (const [collection, ids] of idsByCollection(unread)) {
      const found = await this.#options.store.objects.read(collection, ids)
      for (const id of ids) this.#objects.set(keyOf({ collection, id }), found.get(id))
    }
  }
}

function keyOf({ collection, id }: Target): string {
  return `${collection}/${id}`
}

function distinct(reached: readonly Reached[]): readonly Reached[] {
  return reached.length < 2 ? reached : [...new Map(reached.map((one) => [keyOf(one.target), one])).values()]
}

function collectedValue(
  { fields, flatten, many }: CollectedProperty,
  reached: readonly Reached[],
  model: RelationshipModel,
): Json | undefined {
  const values = flatten && fields ? flat(fields, reached) : reached.map((one) => entry(fields, one, model))
  return many ? values : values[0]
}

function flat(fields: readonly string[], reached: readonly Reached[]): Json[] {
  const values: Json[] = []
  for (const { target, object } of reached) {
    for (const field of fields) {
      const value = field === '_id' ? target.id : getAt(object, parsePointer(field))
      for (const one of Array.isArray(value) ? value : [value])
        if (one !== undefined && one !== null && !values.some((known) => equal(known, one))) values.push(one)
    }
  }
  return values
}

/** Without revisions: a reference, or the object's own fields, would otherwise change with every write to it. */
function entry(
  fields: readonly string[] | undefined,
  { target, object }: Reached,
  model: RelationshipModel,
): JsonObject {
  const reference = referenceTo(target)
  if (!fields) return reference
  const type = model.types.get(target.collection)
  const result: JsonObject = { _id: target.id }
  for (const field of fields) {
    if (field === '*') {
      const { _id, _rev, ...own }: JsonObject = object ?? {}
      for (const name of type?.hidden ?? []) delete own[name]
      Object.assign(result, own)
    } else {
      const pointer = parsePointer(field)
      const value = getAt(object, pointer)
      if (value !== undefined && field !== '_rev') setAt(result, pointer, value)
    }
  }
  return { ...result, ...reference }
}
