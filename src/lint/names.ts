/** Names that nothing has: of attributes, and of what else the configuration refers to. */
import type { Filter } from '../model/filter/filter.ts'
import { parseFilter } from '../model/filter/parse.ts'
import { pointersOf } from '../model/filter/walk.ts'
import type { Finding, Place } from '../model/finding.ts'
import type { Json } from '../model/json.ts'
import { nearest, nearMiss } from '../model/nearest.ts'
import { type Pointer, parsePointer } from '../model/pointer.ts'
import { missingAt, type Shape, type Shapes } from './shape.ts'

/** What is wrong with a name, without its place. */
export interface Fault extends Omit<Finding, 'place'> {
  /** An attribute such as `managed/user/floor`. Set where it is no mistake as long as something else knows it, too. */
  readonly undeclared?: string | undefined
}

/** What this folder finds keeps nothing from running: the names may come later. */
export interface Doubt extends Finding {
  readonly use?: Use | undefined
}

/** Of an attribute that nothing declares: managed objects take any. `keeps`: reads and writes it. */
export interface Use {
  readonly attribute: string
  readonly does: 'reads' | 'writes' | 'keeps'
}

export function doubt(place: Place, { undeclared, ...fault }: Fault, does: Use['does'] = 'reads'): Doubt {
  const use = undeclared === undefined ? undefined : { attribute: undeclared, does }
  return { severity: 'warning', ...fault, place, use }
}

/** Without those that use an attribute that others in the project write, or read: between them they agree on it. */
export function remaining<D extends Doubt>(doubts: readonly D[]): readonly Omit<D, 'use'>[] {
  const uses = new Map<string, Set<string>>()
  for (const { use } of doubts) {
    if (!use) continue
    const known = uses.get(use.attribute) ?? new Set()
    uses.set(use.attribute, known.add(use.does))
  }
  const agreed = (attribute: string) => {
    const known = uses.get(attribute) ?? new Set()
    return known.has('keeps') || known.size > 1
  }
  return doubts.flatMap(({ use, ...finding }) => {
    if (!use) return [finding]
    const { attribute, does } = use
    if (agreed(attribute)) return []
    const message = `${finding.message}, and nothing else in this project ${does === 'reads' ? 'writes' : 'reads'} it; correct the name, or declare it in conf/managed.json`
    return [{ ...finding, message }]
  })
}

/** The attribute at a pointer that nothing declares; undefined if there is none. */
export function attributeFault(shape: Shape, pointer: Pointer): Fault | undefined {
  const missing = missingAt(shape, pointer)
  if (!missing) return undefined
  const { name, in: holder } = missing
  const known = [...holder.members.keys()].filter((one) => !one.startsWith('_'))
  const fact = `${holder.of} has no property ${JSON.stringify(name)}`
  // A system has only what its object type declares.
  if (!holder.of.startsWith('managed/') || isMisspelt(name, known)) return noSuch(name, known, fact)
  const undeclared = `${holder.of}/${name}`
  return { message: `${holder.of} declares no property ${JSON.stringify(name)}`, found: name, undeclared }
}

/** `address1` is no misspelt `address2`. */
function isMisspelt(name: string, known: readonly string[]): boolean {
  const letters = (text: string) => text.replace(/\d/g, '')
  const meant = name.length > 3 ? nearMiss(name, known) : undefined
  return meant !== undefined && letters(meant) !== letters(name)
}

/** `fact`: the beginning of the message. The end is the nearest name, or the names that there are. */
export function noSuch(found: string, allowed: readonly string[], fact: string): Fault {
  const suggestion = nearest(found, allowed)
  const some = allowed.slice(0, 12).join(', ')
  const all =
    allowed.length === 0 ? 'there are none' : `there are: ${some}${allowed.length > 12 ? ', …' : ''}`
  const remedy = suggestion === undefined ? all : `did you mean ${suggestion}?`
  return { message: `${fact}; ${remedy}`, found, allowed, suggestion }
}

/** Of a path that no set has; those of the same root are named. */
export function noSuchSet(path: string, { paths }: Pick<Shapes, 'paths'>): Fault {
  const [root = ''] = path.split('/')
  const allowed = paths.filter((one) => one.startsWith(`${root}/`))
  return noSuch(path, allowed, `${JSON.stringify(path)} is not an object set of this project`)
}

/** Of a pointer as the configuration writes it. Anything but a text is judged by the schema. */
export function pointerDoubts(
  shape: Shape,
  value: Json | undefined,
  place: Place,
  does: Use['does'] = 'reads',
): readonly Doubt[] {
  const pointer = typeof value === 'string' ? attempted(() => parsePointer(value)) : undefined
  const fault = pointer && attributeFault(shape, pointer)
  return fault ? [doubt(place, fault, does)] : []
}

/** Of each pointer in an array, or of a comma list. */
export function pointersDoubts(shape: Shape, value: Json | undefined, place: Place): readonly Doubt[] {
  if (typeof value === 'string')
    return value.split(',').flatMap((one) => pointerDoubts(shape, one.trim(), place))
  if (!Array.isArray(value)) return []
  return value.flatMap((one, index) => pointerDoubts(shape, withoutOrder(one), [...place, index]))
}

/** A sort key may begin with its direction. */
function withoutOrder(value: Json): Json {
  return typeof value === 'string' ? value.replace(/^[+-]/, '') : value
}

/** Of the pointers in a query filter over objects of a shape. */
export function filterDoubts(shape: Shape, value: Json | undefined, place: Place): readonly Doubt[] {
  return pointersIn(value).flatMap((pointer) => {
    const fault = attributeFault(shape, pointer)
    return fault ? [doubt(place, fault)] : []
  })
}

/** The same for a condition, whose pointers begin with a variable. */
export function conditionDoubts(
  variables: Readonly<Record<string, Shape>>,
  value: Json | undefined,
  place: Place,
): readonly Doubt[] {
  return pointersIn(value).flatMap((pointer) => {
    const [variable = '', ...rest] = pointer
    const shape = Object.hasOwn(variables, variable) ? variables[variable] : undefined
    const fault = shape ? attributeFault(shape, rest) : withoutVariable(pointer, variables)
    return fault ? [doubt(place, fault)] : []
  })
}

function withoutVariable(pointer: Pointer, variables: Readonly<Record<string, Shape>>): Fault {
  const written = pointer.join('/')
  const holder = Object.keys(variables).find((name) => {
    const shape = variables[name]
    return shape?.kind === 'object' && shape.members.has(pointer[0] ?? '')
  })
  const names = Object.keys(variables).map((name) => `/${name}`)
  const fact = `/${written}: the pointers of this condition begin with ${names.join(', ')}`
  if (holder === undefined) return { message: `${fact}; so it never holds`, found: written }
  const suggestion = `/${holder}/${written}`
  return { message: `${fact}; did you mean ${suggestion}?`, found: written, suggestion }
}

function pointersIn(value: Json | undefined): readonly Pointer[] {
  const filter = typeof value === 'string' ? attempted<Filter>(() => parseFilter(value)) : undefined
  return filter ? pointersOf(filter) : []
}

/** Undefined where it does not parse: that has been said already. */
function attempted<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
