import { pointersOf } from '../../model/filter/walk.ts'
import { type Pointer, printPointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type { ResourceQuery } from '../../router/resources.ts'
import type { ManagedSet, Sets } from '../managed-set.ts'
import { type RelationshipProperty, throughRelationship } from '../relationships/model.ts'
import type { CompiledType } from '../type/compile.ts'
import { touches } from '../type/places.ts'

type Question = Pick<ResourceQuery, 'filter' | 'sortKeys'>

/**
 * A caller who cannot see a private value must not find it out by queries for objects that have it, value after value, nor
 * by queries for objects that are related to such objects. FORBIDDEN.
 */
export function refusePrivateQuestions(sets: Sets, { path, compiled }: ManagedSet, question: Question): void {
  for (const pointer of askedFor(question)) {
    const [property, behind] = throughRelationship(compiled.relations?.type, pointer)
    if (isPrivate(compiled, pointer) || (property && isPrivateBehind(sets, property, behind)))
      throw refusal(path, pointer)
  }
}

/** The same of a query over the relationships of one object. */
export function refusePrivateQuestionsBehind(
  sets: Sets,
  path: string,
  property: RelationshipProperty,
  question: Question,
): void {
  for (const pointer of askedFor(question))
    if (isPrivateBehind(sets, property, pointer)) throw refusal(path, pointer)
}

function isPrivateBehind(sets: Sets, { collections }: RelationshipProperty, pointer: Pointer): boolean {
  const compiled = collections.map((collection) => sets.get(collection)?.compiled)
  return pointer.length > 0 && compiled.some((type) => type && isPrivate(type, pointer))
}

function isPrivate({ encryption }: CompiledType, pointer: Pointer): boolean {
  return encryption.private.some((place) => touches(place, pointer))
}

function askedFor({ filter, sortKeys = [] }: Question): readonly Pointer[] {
  return [...pointersOf(filter), ...sortKeys.map((key) => key.pointer)]
}

function refusal(path: string, pointer: Pointer): Problem {
  return new Problem('FORBIDDEN', `${path}: ${printPointer(pointer)} may not be asked for from outside`)
}
