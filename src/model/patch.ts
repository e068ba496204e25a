import { copy, equal } from './equality.ts'
import { asObject, isJsonObject, type Json, type JsonObject, member } from './json.ts'
import { deepest } from './json-text.ts'
import { getAt, indexOf, type Pointer, parsePointer, printPointer, removeAt, setAt } from './pointer.ts'
import { Problem } from './problem.ts'

/**
 * Patches of requests (platform §1.4): parsed strictly, applied in order, all or nothing.
 * An array is changed as a whole, by value or at its end, never by position, but for configuration: another writer may have moved its
 * elements. Revisions and retries are handled by the object set; `transform` by the configuration.
 */

/** One operation of a patch (platform §1.4). `append` is a `field` that ended in `/-`. */
export type PatchOperation =
  | {
      readonly operation: 'add' | 'replace'
      readonly field: Pointer
      readonly value: Json
      readonly append?: boolean
    }
  | { readonly operation: 'remove'; readonly field: Pointer; readonly value?: Json | undefined }
  | { readonly operation: 'increment'; readonly field: Pointer; readonly value: number }
  | { readonly operation: 'copy' | 'move'; readonly from: Pointer; readonly field: Pointer }
  /** Only on configuration, which can run scripts and turns it into a `replace`. */
  | { readonly operation: 'transform'; readonly field: Pointer; readonly script: JsonObject }

/**
 * Parses the patch of a request to a path. BAD_PATCH names the position in the array and the error. Only configuration is
 * patched by position: its arrays are lists in an order, and its revision is checked.
 */
export function parsePatch(body: unknown, path = ''): readonly PatchOperation[] {
  if (!Array.isArray(body)) throw new Problem('BAD_PATCH', 'A patch is an array of operations')
  const positions = /^\/?config\//.test(path)
  return body.map((operation, position) => at(position, () => parseOperation(operation, positions)))
}

/** A new object with the operations applied in order; `object` is not changed. BAD_PATCH if one cannot be applied. */
export function applyPatch(object: JsonObject, operations: readonly PatchOperation[]): JsonObject {
  const result = copy(object)
  const effort = new Effort()
  for (const [position, operation] of operations.entries())
    at(position, () => apply(result, operation, effort))
  return result
}

/** Adds the position of the operation to its errors. */
function at<T>(position: number, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof Problem)) throw cause
    throw new Problem('BAD_PATCH', `Patch operation ${position}: ${cause.message}`, {
      detail: { position },
    })
  }
}

function bad(message: string): Problem {
  return new Problem('BAD_PATCH', message)
}

function parseOperation(wire: unknown, positions: boolean): PatchOperation {
  if (!isJsonObject(wire)) throw bad('an operation is an object')
  const operation = member(wire, 'operation')
  switch (operation) {
    case 'add':
    case 'replace': {
      const value = requiredValue(wire, operation)
      const field = parseField(wire, 'field', positions)
      if (field.length < 2 || field.at(-1) !== '-') return { operation, field: withoutAppend(field), value }
      return { operation, field: withoutAppend(field.slice(0, -1)), value, append: true }
    }
    case 'remove': {
      forbid(wire, operation, 'from')
      const field = withoutAppend(parseField(wire, 'field', positions))
      return { operation, field, value: member(wire, 'value') ?? undefined }
    }
    case 'increment': {
      const value = requiredValue(wire, operation)
      if (typeof value !== 'number') throw bad(`"increment" adds a number; "value" is ${kindOf(value)}`)
      return { operation, field: withoutAppend(parseField(wire, 'field', positions)), value }
    }
    case 'copy':
    case 'move': {
      forbid(wire, operation, 'value')
      const from = withoutAppend(parseField(wire, 'from', positions))
      return { operation, from, field: withoutAppend(parseField(wire, 'field', positions)) }
    }
    case 'transform': {
      const { script } = asObject(requiredValue(wire, operation))
      if (!isJsonObject(script)) throw bad('"transform" needs a "value" of the shape {"script": {…}}')
      return { operation, field: withoutAppend(parseField(wire, 'field', positions)), script }
    }
    default:
      throw bad(`"operation" is ${JSON.stringify(operation) ?? 'missing'}; ${operationList}`)
  }
}

const operationList = 'expected add, replace, remove, increment, copy, move or transform'

/** Null is treated as absent, as in OpenIDM. */
function requiredValue(wire: JsonObject, operation: string): NonNullable<Json> {
  forbid(wire, operation, 'from')
  const value = member(wire, 'value') ?? null
  if (value === null)
    throw bad(`"${operation}" needs a "value" other than null; "remove" takes a property away`)
  return value
}

function forbid(wire: JsonObject, operation: string, name: 'from' | 'value'): void {
  if ((member(wire, name) ?? null) !== null) throw bad(`"${operation}" takes no "${name}"`)
}

function parseField(wire: JsonObject, name: 'field' | 'from', positions: boolean): Pointer {
  const text = member(wire, name)
  if (typeof text !== 'string') throw bad(`"${name}" must be a string that points to a property`)
  const pointer = parsePointer(text)
  if (pointer.length === 0) throw bad(`"${name}" names no property`)
  // The root is an object, so digits in the first token are a name.
  if (!positions && pointer.slice(1).some((token) => /^\d+$/.test(token))) {
    throw bad(`Position-based operation is not allowed: "${name}" is ${text}`)
  }
  return pointer
}

function withoutAppend(field: Pointer): Pointer {
  if (field.slice(1).includes('-')) throw bad(`"-" may only end the "field" of "add": ${printPointer(field)}`)
  return field
}

/** A patch of a few lines can copy a value into itself again and again, or compare a long list thousands of times. */
class Effort {
  #values = 0

  spend(values: number): void {
    this.#values += values
    if (this.#values > mostEffort)
      throw new Problem('BAD_PATCH', `the patch copies or compares more than ${mostEffort} values`, {
        status: 413,
      })
  }

  /** Of a value that is going to be copied. */
  spendOn(value: Json): void {
    this.spend(1)
    if (typeof value !== 'object' || value === null) return
    for (const member of Object.values(value)) if (member !== undefined) this.spendOn(member)
  }
}

const mostEffort = 10_000_000

function depthOf(value: Json | undefined): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Object.values(value).reduce<number>((most, member) => Math.max(most, depthOf(member)), 0)
}

function apply(target: JsonObject, operation: PatchOperation, effort: Effort): void {
  switch (operation.operation) {
    case 'add':
    case 'replace':
      if (operation.append) append(target, operation.field, copy(operation.value))
      else if (operation.operation === 'add') add(target, operation.field, copy(operation.value))
      else setAt(target, operation.field, copy(operation.value))
      break
    case 'remove':
      if (operation.value === undefined) removeAt(target, operation.field)
      else removeValue(target, operation.field, operation.value, effort)
      break
    case 'increment':
      increment(target, operation.field, operation.value, effort)
      break
    case 'copy':
    case 'move': {
      const value = getAt(target, operation.from)
      if (value === undefined) return
      if (operation.operation === 'move') removeAt(target, operation.from)
      else effort.spendOn(value)
      if (operation.field.length + depthOf(value) > deepest)
        throw bad(`the object would be nested more than ${deepest} levels deep`)
      setAt(target, operation.field, copy(value))
      break
    }
    case 'transform':
      throw bad('"transform" is possible only on configuration')
  }
}

/** Into an array: before the element that stands there. */
function add(target: JsonObject, field: Pointer, value: Json): void {
  const array = getAt(target, field.slice(0, -1))
  const index = indexOf(field.at(-1) ?? '')
  if (!Array.isArray(array) || index === undefined || index >= array.length) setAt(target, field, value)
  else array.splice(index, 0, value)
}

function append(target: JsonObject, field: Pointer, value: Json): void {
  const array = getAt(target, field) ?? []
  if (!Array.isArray(array)) throw bad(`${printPointer(field)} is ${kindOf(array)}: nothing can be appended`)
  // The patched object is a copy of ours, and so is its list.
  if (getAt(target, field) === array) array.push(value)
  else setAt(target, field, [value])
}

function removeValue(target: JsonObject, field: Pointer, value: Json, effort: Effort): void {
  const current = getAt(target, field)
  if (Array.isArray(current)) {
    effort.spend(current.length)
    const kept = current.filter((element) => !equal(element, value))
    if (kept.length < current.length) setAt(target, field, kept)
  } else if (equal(current, value)) removeAt(target, field)
}

function increment(target: JsonObject, field: Pointer, by: number, effort: Effort): void {
  const current = getAt(target, field)
  if (Array.isArray(current)) effort.spend(current.length)
  const one = (n: Json | undefined) => sum(n, by, field)
  setAt(target, field, Array.isArray(current) ? current.map(one) : one(current))
}

function sum(current: Json | undefined, by: number, field: Pointer): number {
  if (typeof current === 'number') {
    const total = current + by
    if (Number.isFinite(total) && (!Number.isInteger(total) || Number.isSafeInteger(total))) return total
    throw bad(`${printPointer(field)}: ${current} and ${by} are more than a number can hold exactly`)
  }
  throw bad(`${printPointer(field)} is ${kindOf(current)}, not a number`)
}

function kindOf(value: Json | undefined): string {
  if (value === undefined) return 'absent'
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`
}
