import { asObject, isJsonObject, type Json } from '../model/json.ts'
import type { Entry } from './entry.ts'

/** What the objects of a set, or the values of an attribute, look like as far as the configuration says. */
export type Shape = Unknown | ObjectShape | { readonly kind: 'list'; readonly element: Shape }

interface Unknown {
  readonly kind: 'unknown'
}

export interface ObjectShape {
  readonly kind: 'object'
  /** In messages: `managed/user`, `managed/user/address`. */
  readonly of: string
  readonly members: ReadonlyMap<string, Shape>
}

/** Nothing is known, and nothing is judged. */
export const unknown: Unknown = { kind: 'unknown' }

/** The object sets of a project. */
export interface Shapes {
  /** By path, e.g. `system/hr/account`; unknown for other sets than those of systems and managed objects. */
  of(path: string): Shape
  /** Their paths. */
  readonly paths: readonly string[]
  /** False for a path below `managed` or `system` that no set has. */
  exists(path: string): boolean
}

/** `broken`: ids of unreadable documents; what they would have defined is unknown, not missing. */
export function shapesOf(
  managed: readonly Entry[],
  connectors: readonly Entry[],
  broken: ReadonlySet<string>,
): Shapes {
  const shapes = new Map<string, Shape>()
  for (const { name, content } of managed)
    shapes.set(`managed/${name}`, managedShape(`managed/${name}`, content.schema))
  const open = new Set<string>()
  for (const { name, content } of connectors) {
    if (!isJsonObject(content.objectTypes)) open.add(name)
    for (const [type, declared] of Object.entries(asObject(content.objectTypes)))
      shapes.set(
        `system/${name}/${type}`,
        systemShape(`system/${name}/${type}`, asObject(declared).properties),
      )
  }
  return {
    paths: [...shapes.keys()],
    of: (path) => shapes.get(path) ?? unknown,
    exists(path) {
      const [root = '', name = '', type] = path.split('/')
      if (root === 'managed') return broken.has('managed') || shapes.has(`managed/${name}`)
      if (root !== 'system' || broken.has(`provisioner.openicf/${name}`) || open.has(name)) return true
      if (type === undefined) return connectors.some((one) => one.name === name)
      return shapes.has(`system/${name}/${type}`)
    },
  }
}

/** What every object of a managed type may have without its schema saying so. */
const always = ['lastSync', 'effectiveRoles', 'effectiveAssignments', 'consentedMappings']

function managedShape(of: string, schema: Json | undefined): Shape {
  const shape = schemaShape(of, schema)
  if (shape.kind !== 'object') return shape
  return { ...shape, members: new Map([...shape.members, ...always.map((name) => [name, unknown] as const)]) }
}

/** JSON Schema → shape: only an object with declared properties is known. */
function schemaShape(of: string, schema: Json | undefined): Shape {
  const { properties, items, type } = asObject(schema)
  if (isJsonObject(items)) return { kind: 'list', element: schemaShape(of, items) }
  if (type === 'relationship' || !isJsonObject(properties) || Object.keys(properties).length === 0)
    return unknown
  const members = Object.entries(properties).map(
    ([name, property]) => [name, schemaShape(`${of}/${name}`, property)] as const,
  )
  return { kind: 'object', of, members: new Map(members) }
}

function systemShape(of: string, properties: Json | undefined): Shape {
  const names = Object.keys(asObject(properties))
  if (names.length === 0) return unknown
  return { kind: 'object', of, members: new Map(names.map((name) => [name, unknown])) }
}

/** The shape of what stands at a pointer; unknown below anything that is not known. */
export function shapeAt(shape: Shape, [step, ...rest]: readonly string[]): Shape {
  if (step === undefined) return shape
  if (shape.kind === 'unknown') return unknown
  if (shape.kind === 'list') return isElement(step) ? shapeAt(shape.element, rest) : unknown
  return shapeAt(shape.members.get(step) ?? unknown, rest)
}

/** The first name of a pointer that nothing has, and where it is missed. */
export function missingAt(
  shape: Shape,
  [step, ...rest]: readonly string[],
): { readonly name: string; readonly in: ObjectShape } | undefined {
  if (step === undefined || shape.kind === 'unknown') return undefined
  if (shape.kind === 'list') return isElement(step) ? missingAt(shape.element, rest) : undefined
  const next = shape.members.get(step)
  if (next) return missingAt(next, rest)
  // `_id`, `_rev` and their like are nobody's declaration.
  return step.startsWith('_') || step === '*' || step === '' ? undefined : { name: step, in: shape }
}

function isElement(step: string): boolean {
  return /^(?:\d+|-|\*)$/.test(step)
}
