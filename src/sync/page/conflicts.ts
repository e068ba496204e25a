import type { Action } from '../../mapping/situation.ts'
import type { Filter } from '../../model/filter/filter.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { getAt, type Pointer, setAt } from '../../model/pointer.ts'
import type { Decided } from './operation.ts'
import type { Synchronization } from './synchronization.ts'
import { comparedPointers, joinable, mightMatch, TargetIndex } from './target-index.ts'

const changing: ReadonlySet<Action> = new Set(['CREATE', 'UPDATE', 'LINK', 'UNLINK', 'DELETE'])

/**
 * Where a decided page is cut into what is applied together and what is decided again later: before the first operation whose
 * target, or one of whose candidates, an earlier one changes, or whose correlation might find what an earlier one writes.
 * Everything behind the cut waits, so that a page has the result of its objects one after the other: two people with one mail
 * address on a page do not both get an account. `before`: operations that were not performed yet when the page was joined.
 */
export function firstConflict(
  page: readonly Decided[],
  ids: ComparedIds = () => none,
  before: readonly Decided[] = [],
): number {
  const claims = new Claims(page, ids)
  for (const operation of before) claims.add(operation)
  const cut = page.findIndex((operation) => {
    if (claims.concern(operation)) return true
    claims.add(operation)
    return false
  })
  return cut < 0 ? page.length : cut
}

/** What earlier operations change. */
class Claims {
  readonly #idsOf: ComparedIds
  readonly #targets = new Set<string>()
  readonly #ids = new Set<string>()
  readonly #written: WrittenObjects
  /** A target may have to convert the object to say its id. */
  readonly #known = new Map<Decided, readonly string[]>()

  constructor(page: readonly Decided[], idsOf: ComparedIds) {
    this.#idsOf = (operation) => {
      const known = this.#known.get(operation) ?? idsOf(operation)
      this.#known.set(operation, known)
      return known
    }
    this.#written = new WrittenObjects(page)
  }

  concern(operation: Decided): boolean {
    const { targetId, candidates } = operation
    return (
      (targetId !== undefined && this.#targets.has(targetId)) ||
      candidates.some(({ id }) => this.#targets.has(id)) ||
      this.#written.mightBeFoundBy(operation) ||
      this.#idsOf(operation).some((id) => this.#ids.has(id))
    )
  }

  add(operation: Decided): void {
    if (!operation.action || !changing.has(operation.action)) return
    if (operation.targetId !== undefined) this.#targets.add(operation.targetId)
    for (const id of this.#idsOf(operation)) this.#ids.add(id)
    this.#written.add(operation)
  }
}

/** Ids, as they are compared, of which there is one only: another operation with the same one meets what this one makes. */
export type ComparedIds = (operation: Decided) => readonly string[]

const none: readonly string[] = []

/** Of sources whose links ignore case, and of targets that are about to be created. */
export function idsOf({
  rules,
  links,
  targets,
}: Pick<Synchronization, 'rules' | 'links' | 'targets'>): ComparedIds {
  const { sourceIgnoresCase } = rules.mapping.links
  return ({ action, sourceId, linkQualifier, desired, phase }) => {
    const newId =
      action === 'CREATE' && desired && targets.idOf({ operation: 'create', content: desired }, '')
    const isCompared = sourceIgnoresCase && phase === 'source'
    if (!newId && !isCompared) return none
    return [
      ...(isCompared ? [`source\n${linkQualifier}\n${links.normalSource(sourceId)}`] : []),
      ...(newId ? [`target\n${links.normalTarget(newId)}`] : []),
    ]
  }
}

/** The objects that earlier operations of the page will write, findable as the target would find them. */
class WrittenObjects {
  readonly #pointers: readonly Pointer[]
  readonly #index: TargetIndex
  readonly #objects: JsonObject[] = []

  constructor(page: readonly Decided[]) {
    const pointers = new Map<string, Pointer>()
    for (const { correlation } of page) {
      if (!correlation || !joinable(correlation)) continue
      for (const pointer of comparedPointers(correlation)) pointers.set(pointer.join('/'), pointer)
    }
    this.#pointers = [...pointers.values()]
    this.#index = new TargetIndex(this.#pointers)
  }

  add({ desired }: Decided): void {
    if (desired) this.#index.add(String(this.#objects.push(desired)), this.#compared(desired))
  }

  /** Of an object what is looked up, folded. */
  #compared(object: JsonObject): JsonObject {
    const compared: JsonObject = {}
    for (const pointer of this.#pointers) {
      const value = getAt(object, pointer)
      if (value !== undefined) setAt(compared, pointer, folded(value))
    }
    return compared
  }

  mightBeFoundBy({ correlation }: Decided): boolean {
    if (!correlation || this.#objects.length === 0) return false
    const found = this.#index.find(foldedFilter(correlation))
    return found ? found.size > 0 : this.#objects.some((object) => mightMatch(correlation, object))
  }
}

// Compared in lower case: how the target compares may be unknown, and waiting once too often does no harm.

function folded(value: Json): Json {
  if (typeof value === 'string') return value.toLowerCase()
  if (Array.isArray(value)) return value.map(folded)
  return isJsonObject(value) ? foldedObject(value) : value
}

function foldedObject(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([name, value = null]) => [name, folded(value)]))
}

function foldedFilter(filter: Filter): Filter {
  if (filter.kind === 'compare') return { ...filter, value: folded(filter.value) }
  if (filter.kind === 'and' || filter.kind === 'or')
    return { ...filter, filters: filter.filters.map(foldedFilter) }
  return filter
}
