import { equal } from '../../model/equality.ts'
import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Target } from '../../model/reference.ts'
import type { SeenRelationship } from '../../repository/relationships.ts'
import type { Conditional } from './conditions.ts'
import { alwaysRead, type RelatedType, type RelationshipProperty } from './model.ts'
import {
  type Edit,
  grantType,
  isConditional,
  isSame,
  type RefusedObject,
  referenceTo,
  targetsOf,
  unlessRefused,
  type WantedObject,
  type WantedReference,
} from './wanted.ts'

/** What is to become of the relationships of one object: wanted × present → changes, property by property. Pure. */
export interface PlannedObject extends Omit<WantedObject, 'kind'> {
  readonly kind: 'planned'
  readonly present: Present
  readonly changes: ReadonlyMap<string, PropertyChanges>
}

export type Planned = PlannedObject | RefusedObject

/** Relationships of one object by property, as far as they had to be read. */
export type Present = ReadonlyMap<string, readonly SeenRelationship[]>

/** By property: the objects that are granted by a condition. */
export type Conditionals = ReadonlyMap<string, readonly Conditional[]>

export function planObject(
  type: RelatedType,
  wanted: WantedObject,
  { present, conditionals }: { readonly present: Present; readonly conditionals: Conditionals },
): Planned {
  return unlessRefused(wanted.write, () => {
    const changes = changesOf(type, { ...wanted, present }, conditionals)
    return { ...wanted, kind: 'planned', present, changes }
  })
}

type Unplanned = WantedObject & Pick<PlannedObject, 'present'>

function changesOf(
  type: RelatedType,
  wanted: Unplanned,
  conditionals: Conditionals,
): ReadonlyMap<string, PropertyChanges> {
  const { present } = wanted
  const changes = new Map<string, PropertyChanges>()
  if (wanted.write.operation === 'delete') return changes
  for (const property of type.properties.values()) {
    const edits = wanted.edits.get(property.name) ?? []
    const governed = property.conditions.size > 0
    if (edits.length > 0 || governed)
      changes.set(property.name, changesBy(property, present.get(property.name) ?? [], edits, governed))
  }
  for (const [name, all] of conditionals) {
    const object = foreseen(type, { ...wanted, changes }, all)
    const holding = all.filter((one) => one.holdsFor(object)).map(({ target }) => target)
    const own = changes.get(name) ?? { inserts: [], updates: [], deletes: [] }
    changes.set(name, withConditional(own, present.get(name) ?? [], holding))
  }
  return changes
}

/** The object as conditions see it: with the relationships that they look at, as they will be. */
function foreseen(
  type: RelatedType,
  { write, own, present, changes }: Pick<PlannedObject, 'write' | 'own' | 'present' | 'changes'>,
  conditionals: readonly Conditional[],
): JsonObject {
  const object: JsonObject = { ...own, _id: write.id }
  for (const name of new Set(conditionals.flatMap(({ properties }) => properties))) {
    const property = type.properties.get(name)
    if (!property) continue
    const { inserts = [], deletes = [] } = changes.get(name) ?? {}
    const gone = new Set(deletes.map(({ _id }) => _id))
    const kept = (present.get(name) ?? []).filter(({ _id }) => !gone.has(_id))
    const targets = [...kept.map(({ other }) => other), ...inserts.map(({ target }) => target)]
    const references: Json[] = targets.map(referenceTo)
    object[name] = property.many ? references : (references[0] ?? null)
  }
  return object
}

/** Properties of which all relationships have to be known to write these objects. `whole`: of all. */
export function wholeProperties(
  type: RelatedType,
  conditionals: Conditionals,
  objects: readonly Pick<WantedObject, 'edits'>[],
  whole: boolean,
): readonly string[] {
  if (whole) return [...type.properties.keys()]
  const looked = [...conditionals.values()].flat().flatMap(({ properties }) => properties)
  const mentioned = objects.flatMap(({ edits }) =>
    [...edits].flatMap(([name, all]) => (targetsOf(all) ? [] : [name])),
  )
  const names = new Set([...alwaysRead(type), ...looked, ...mentioned])
  return [...names].filter((name) => type.properties.has(name))
}

/** What changes at one property. */
export interface PropertyChanges {
  readonly inserts: readonly WantedReference[]
  readonly updates: readonly { readonly before: SeenRelationship; readonly properties: JsonObject }[]
  readonly deletes: readonly SeenRelationship[]
}

/** NOT_FOUND for an edit of a relationship that is not there. `governed`: grants by condition cannot be edited. */
export function changesBy(
  property: RelationshipProperty,
  existing: readonly SeenRelationship[],
  edits: readonly Edit[],
  governed = false,
): PropertyChanges {
  const isEditable: IsEditable = ({ properties }) => !governed || !isConditional(properties)
  let state: State = { rows: existing, inserts: [] }
  for (const edit of edits) state = edited(property, state, edit, isEditable)
  const { rows, inserts } = state
  const kept = new Map(rows.map(({ _id, properties }) => [_id, properties]))
  return {
    inserts,
    updates: existing.flatMap((before) => {
      const properties = kept.get(before._id)
      return properties && !equal(before.properties, properties) ? [{ before, properties }] : []
    }),
    deletes: existing.filter(({ _id }) => !kept.has(_id)),
  }
}

/** What the edits so far have made of a property. */
interface State {
  /** Those that stay, with the properties they shall have. */
  readonly rows: readonly SeenRelationship[]
  readonly inserts: readonly WantedReference[]
}

type IsEditable = (one: { readonly properties: JsonObject }) => boolean

function edited(
  { collection, name }: RelationshipProperty,
  { rows, inserts }: State,
  edit: Edit,
  isEditable: IsEditable,
): State {
  if (edit.kind === 'set') return replacedBy(rows, edit.references, isEditable)
  const { target } = edit.reference
  const known = rows.filter((row) => isEditable(row) && isSame(row.other, target))
  switch (edit.kind) {
    case 'add': {
      const { properties } = edit.reference
      const isThere = [...known, ...inserts.filter((one) => isSame(one.target, target))].some((one) =>
        equal(one.properties, properties),
      )
      if (isThere)
        throw new Problem(
          'PRECONDITION_FAILED',
          `${collection}: ${name} refers to ${referenceTo(target)._ref} already`,
        )
      const plain = Object.keys(properties).length === 0
      return plain && known.length > 0 ? { rows, inserts } : { rows, inserts: [...inserts, edit.reference] }
    }
    case 'remove': {
      const { id } = edit.reference
      const gone = new Set(known.filter(({ _id }) => id === undefined || _id === id))
      return {
        rows: rows.filter((row) => !gone.has(row)),
        inserts: inserts.filter((one) => !isSame(one.target, target)),
      }
    }
    case 'replace': {
      const { id } = edit.from
      const { properties } = edit.reference
      const found = rows.find(({ _id }) => _id === id)
      if (!found) throw new Problem('NOT_FOUND', `${collection}: ${name} has no relationship ${id}`)
      if (!isSame(found.other, target))
        return { rows: rows.filter((row) => row !== found), inserts: [...inserts, { ...edit.reference, id }] }
      return { rows: rows.map((row) => (row === found ? { ...row, properties } : row)), inserts }
    }
  }
}

/** A relationship that is there already stays the same one: that of the id named, else one to the same target. */
function replacedBy(
  rows: readonly SeenRelationship[],
  references: readonly WantedReference[],
  isEditable: IsEditable,
): State {
  const free = new Set(rows.filter(isEditable))
  const kept = new Map<SeenRelationship, JsonObject>()
  const inserts: WantedReference[] = []
  for (const { target, id, properties } of references.filter(isEditable)) {
    const same = [...free].filter(({ other }) => isSame(other, target))
    const found = same.find(({ _id }) => _id === id) ?? same[0]
    if (!found) inserts.push({ target, id: undefined, properties })
    else {
      free.delete(found)
      // A bare `{_ref}` names a relationship that is there; one with properties says what they are.
      kept.set(found, Object.keys(properties).length === 0 ? found.properties : properties)
    }
  }
  const staying = rows.filter((row) => !free.has(row))
  return { rows: staying.map((row) => ({ ...row, properties: kept.get(row) ?? row.properties })), inserts }
}

/** The changes with those of the grants by condition: an object with a direct grant needs none. */
export function withConditional(
  changes: PropertyChanges,
  existing: readonly SeenRelationship[],
  holding: readonly Target[],
): PropertyChanges {
  const gone = new Set(changes.deletes.map(({ _id }) => _id))
  const kept = existing.filter(({ _id }) => !gone.has(_id))
  const direct = [
    ...kept.filter(({ properties }) => !isConditional(properties)).map(({ other }) => other),
    ...changes.inserts.map(({ target }) => target),
  ]
  const wanted = holding.filter((target) => !direct.some((other) => isSame(other, target)))
  const conditional = kept.filter(({ properties }) => isConditional(properties))
  const missing = wanted.filter((target) => !conditional.some(({ other }) => isSame(other, target)))
  const surplus = conditional.filter(({ other }) => !wanted.some((target) => isSame(other, target)))
  const granted = missing.map(
    (target): WantedReference => ({ target, id: undefined, properties: { [grantType]: 'conditional' } }),
  )
  return { ...changes, inserts: [...changes.inserts, ...granted], deletes: [...changes.deletes, ...surplus] }
}

export function isChange({ inserts, updates, deletes }: PropertyChanges): boolean {
  return inserts.length + updates.length + deletes.length > 0
}

export function changesRelationships({ changes }: PlannedObject): boolean {
  return [...changes.values()].some(isChange)
}
