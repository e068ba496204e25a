import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { printReference, type Target } from '../../model/reference.ts'
import type { Relationship, RelationshipEnd, SeenRelationship } from '../../repository/relationships.ts'
import {
  collectsAlong,
  otherEnd,
  propertyAt,
  type Related,
  type RelatedType,
  type RelationshipModel,
  type RelationshipProperty,
} from './model.ts'
import type { Planned, PlannedObject } from './plan-object.ts'
import { type Force, unlessRefused } from './wanted.ts'

/**
 * Plans the relationships of a page: wanted × present → changes. Pure: present relationships have been read before
 * (facts.ts), and nothing is written here (apply.ts writes exactly what the plan contains).
 *
 *     wanted object × present relationships    → planObject → changes of one object
 *     planned objects × targets, places in use → planPage   → rows to insert, update, delete; other ends; refusals
 */
export interface Plan {
  /** At the places of the writes. */
  readonly objects: readonly Planned[]
  readonly inserts: readonly Relationship[]
  readonly updates: readonly { readonly _id: string; readonly properties: JsonObject }[]
  /** Ids. */
  readonly deletes: readonly string[]
  readonly others: readonly OtherEnd[]
}

/** What a touched object at another end comes to. */
export interface OtherEnd {
  readonly type: RelatedType
  readonly id: string
  readonly force: Force | undefined
  /** Its values may be others now. */
  readonly isWritten: boolean
  readonly properties: ReadonlySet<string>
}

export interface PageFacts {
  exists(target: Target): boolean
  /** The relationships at a place that has room for one. */
  at(place: RelationshipEnd): readonly SeenRelationship[]
}

/** New targets that must exist; the objects of the page itself do. */
export function targetsToFind(type: RelatedType, objects: readonly Planned[]): readonly Target[] {
  const planned = objects.filter((object) => object.kind === 'planned')
  const created = new Set(
    planned.flatMap(({ write: { operation, id } }) => (operation === 'create' ? id : [])),
  )
  return planned
    .flatMap((object) => newTargets(type, object))
    .filter(({ collection, id }) => collection !== type.collection || !created.has(id))
}

function newTargets(type: RelatedType, { changes }: PlannedObject): readonly Target[] {
  return [...changes].flatMap(([name, { inserts }]) =>
    type.properties.get(name)?.validate ? inserts.map(({ target }) => target) : [],
  )
}

/** Places at other ends that have room for one relationship and are to get one. */
export function placesToFill(
  { model, type }: Related,
  objects: readonly Planned[],
): readonly RelationshipEnd[] {
  const planned = objects.filter((object) => object.kind === 'planned')
  return planned
    .flatMap(({ changes }) => [...changes])
    .flatMap(([name, { inserts }]) => {
      const property = type.properties.get(name)
      return property ? inserts.map(({ target }) => otherEnd(model, property, target)) : []
    })
    .filter((end) => propertyAt(model, end)?.many === false)
}

/** `newId`: for a relationship that has none yet. */
export function planPage(
  related: Related,
  objects: readonly Planned[],
  facts: PageFacts,
  newId: () => string,
): Plan {
  const { model, type } = related
  const checked = objects.map((object) =>
    object.kind === 'refused' ? object : unlessRefused(object.write, () => allowed(related, object, facts)),
  )
  const planned = checked.filter((object) => object.kind === 'planned')
  const rows = rowChanges(related, planned, newId)
  const inserts = lastOfSingles(model, rows.inserts)
  const displaced = displacedBy(model, inserts, rows.deletes, facts)
  const touched = [...rows.touched, ...displaced.flatMap((seen) => bothEnds(model, seen))]
  const ids = new Set(planned.map(({ write }) => write.id))
  const { own = [], others = [] } = Object.groupBy(touched, ({ end: { collection, id } }) =>
    collection === type.collection && ids.has(id) ? 'own' : 'others',
  )
  const ofOwn = Map.groupBy(own, ({ end }) => end.id)
  return {
    objects: checked.map((object) => {
      if (object.kind === 'refused') return object
      const forces = (ofOwn.get(object.write.id) ?? []).map(({ force }) => force)
      return { ...object, force: forces.reduce(stronger, object.force) }
    }),
    ...{ inserts, updates: rows.updates },
    deletes: [...rows.deletes, ...displaced.map(({ _id }) => _id)],
    others: otherEnds(model, others),
  }
}

/** BAD_REQUEST, CONFLICT for what must not be written. */
function allowed({ model, type }: Related, object: PlannedObject, facts: PageFacts): PlannedObject {
  const { write } = object
  const path = `${type.collection}/${write.id}`
  const missing = newTargets(type, object).findLast((target) => !facts.exists(target))
  if (missing) {
    const hint = 'Create the object first, or correct the reference.'
    throw new Problem('BAD_REQUEST', `${path}: ${printReference(missing)} does not exist`, { hint })
  }
  const grants = type.isRole && write.operation === 'delete' ? grantsIn(model, object) : 0
  if (grants === 0) return object
  const message = `${path} cannot be deleted: it is granted to ${grants} object${grants === 1 ? '' : 's'}`
  throw new Problem('CONFLICT', message, { hint: 'Take it away from everybody first.' })
}

/** A role that is granted is not deleted (platform §6.4). */
function grantsIn({ types }: RelationshipModel, { present }: PlannedObject): number {
  return [...present.values()].flat().filter(({ own, other }) => {
    if (own.property === 'members') return true
    const holder = types.get(other.collection)
    return holder !== undefined && collectsAlong(holder, other.property)
  }).length
}

/** An end that is touched by a change at the other one. */
interface Touch {
  readonly end: RelationshipEnd
  readonly force: Force | undefined
}

/** `by`: the property at the end where the change was made. */
function touchOf(
  model: RelationshipModel,
  end: RelationshipEnd,
  by: RelationshipProperty | undefined,
): Touch {
  const property = propertyAt(model, end)
  if (property?.notifySelf || by?.notifies.has(end.collection)) return { end, force: 'notify' }
  return { end, force: property && (!property.many || property.returnedByDefault) ? 'bump' : undefined }
}

interface Rows {
  readonly inserts: readonly Relationship[]
  readonly updates: Plan['updates']
  /** Ids. */
  readonly deletes: ReadonlySet<string>
  /** In the order of the changes. */
  readonly touched: readonly Touch[]
}

function rowChanges({ model, type }: Related, objects: readonly PlannedObject[], newId: () => string): Rows {
  const inserts: Relationship[] = []
  const updates: Plan['updates'][number][] = []
  const deletes = new Set<string>()
  const touched: Touch[] = []
  const touch = (end: RelationshipEnd, by: RelationshipProperty | undefined) =>
    void touched.push(touchOf(model, end, by))
  const remove = ({ _id, other }: SeenRelationship, by: RelationshipProperty | undefined) => {
    if (!deletes.has(_id)) touch(other, by)
    deletes.add(_id)
  }
  for (const { write, present, changes } of objects) {
    if (write.operation === 'delete')
      for (const [name, all] of present) for (const seen of all) remove(seen, type.properties.get(name))
    for (const [name, change] of changes) {
      const by = type.properties.get(name)
      if (!by) continue
      for (const seen of change.deletes) remove(seen, by)
      for (const { before, properties } of change.updates) {
        updates.push({ _id: before._id, properties })
        touch(before.other, by)
      }
      for (const { target, id = newId(), properties } of change.inserts) {
        const first = { collection: type.collection, id: write.id, property: name }
        const second = otherEnd(model, by, target)
        inserts.push({ _id: id, first, second, properties })
        touch(second, by)
      }
    }
  }
  return { inserts, updates, deletes, touched }
}

/** If several relationships of a page need a place that has room for one, the last one stays. */
function lastOfSingles(model: RelationshipModel, inserts: readonly Relationship[]): readonly Relationship[] {
  const last = new Map<string, Relationship>()
  for (const insert of inserts)
    for (const end of [insert.first, insert.second])
      if (propertyAt(model, end)?.many === false) last.set(keyOf(end), insert)
  return inserts.filter((insert) =>
    [insert.first, insert.second].every((end) => (last.get(keyOf(end)) ?? insert) === insert),
  )
}

/** The relationships that new ones replace, at places that have room for one; each once. */
function displacedBy(
  model: RelationshipModel,
  inserts: readonly Relationship[],
  deletes: ReadonlySet<string>,
  facts: PageFacts,
): readonly SeenRelationship[] {
  const found = inserts
    .filter(({ second }) => propertyAt(model, second)?.many === false)
    .flatMap(({ second }) => facts.at(second))
    .filter(({ _id }) => !deletes.has(_id))
  return [...new Map(found.map((seen) => [seen._id, seen])).values()]
}

/** Of a displaced relationship. */
function bothEnds(model: RelationshipModel, { own, other }: SeenRelationship): readonly Touch[] {
  return [touchOf(model, other, propertyAt(model, own)), touchOf(model, own, propertyAt(model, other))]
}

function otherEnds(model: RelationshipModel, touched: readonly Touch[]): readonly OtherEnd[] {
  const ends = new Map<string, OtherEnd>()
  for (const { end, force } of touched) {
    const { collection, id, property } = end
    const type = model.types.get(collection)
    if (!type) continue
    const known = ends.get(`${collection}/${id}`)
    ends.set(`${collection}/${id}`, {
      ...{ type, id, force: stronger(known?.force, force) },
      isWritten: known?.isWritten === true || force !== undefined || collectsAlong(type, property),
      properties: new Set([...(known?.properties ?? []), ...(property ? [property] : [])]),
    })
  }
  return [...ends.values()]
}

function stronger(a: Force | undefined, b: Force | undefined): Force | undefined {
  return a === 'notify' || b === 'notify' ? 'notify' : (a ?? b)
}

export function keyOf({ collection, id, property }: RelationshipEnd): string {
  return `${collection}/${id} ${property}`
}
