import type { Call } from '../mapping/call.ts'
import type { Mapping, PropertyMapping } from '../mapping/mapping.ts'
import type { PropertyOrigin } from '../mapping/properties.ts'
import type { Action, Situation } from '../mapping/situation.ts'
import { diff } from '../model/diff.ts'
import { copy } from '../model/equality.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { getAt, type Pointer, printPointer } from '../model/pointer.ts'
import { matchingPolicy, type PolicyScope } from './choose.ts'
import { type Facts, shapeInputOf } from './decide.ts'
import { type ShapeInput, type ShapingHook, shape } from './shape.ts'

/** Something that set an attribute, or left it unchanged. The last one that set it determined its value. */
export interface Origin {
  /** `property`: a property mapping, by its index; otherwise a hook, or the assignments of roles. */
  readonly by: 'property' | ShapingHook
  readonly property?: number
  readonly how?: PropertyOrigin
  /** The source attribute that a property reads. */
  readonly source?: string
  readonly value?: Json
}

/** One attribute of the target: its old value, its new value, and its origins, in order. */
export interface ExplainedAttribute {
  readonly pointer: Pointer
  readonly before?: Json
  readonly after?: Json
  readonly changes: boolean
  readonly origins: readonly Origin[]
}

/** A decision that is to be explained; `shape: false` where it came to none. */
export interface Explanation {
  readonly facts: Facts
  readonly situation: Situation
  readonly action: Action
  readonly shape: boolean
}

export interface Explained {
  readonly policies: readonly TriedPolicy[]
  readonly attributes: readonly ExplainedAttribute[]
}

/** Why a decision came out as it did. */
export function explain(
  { facts, situation, action, shape: shapes }: Explanation,
  mapping: Mapping,
  call: Call,
): Explained {
  const policies = explainChoice(
    mapping,
    situation,
    { source: facts.source && copy(facts.source), linkQualifier: facts.linkQualifier },
    call,
  )
  const input = shapes ? shapeInputOf(facts, situation, action) : undefined
  return { policies, attributes: input ? explainShape(mapping, input, call) : [] }
}

export interface TriedPolicy {
  readonly policy: number
  readonly held: boolean
}

/**
 * The origin of every value of the target, reported by the same `shape` that makes it. Attributes are in the order of the
 * mapping, then those that only hooks changed. Unchanged attributes are not listed.
 */
export function explainShape(mapping: Mapping, input: ShapeInput, call: Call): readonly ExplainedAttribute[] {
  const attributes = new Map<string, { pointer: Pointer; origins: Origin[] }>()
  const attributeAt = (pointer: Pointer) => {
    const key = printPointer(pointer)
    const known = attributes.get(key) ?? { pointer, origins: [] }
    attributes.set(key, known)
    return known
  }
  let how: PropertyOrigin | undefined
  const { desired, changes } = shape(mapping, input, call, {
    listens: true,
    property(position, origin, value) {
      const property = mapping.properties[position]
      if (!property) return
      if (origin !== undefined) how = origin
      if (origin === 'condition' || origin === undefined)
        attributeAt(property.target).origins.push(originOf(property, position, how, value))
    },
    hook(name, before, after) {
      for (const { pointer, after: value } of diff(before, after))
        attributeAt(pointer).origins.push({
          by: name,
          ...(value === undefined ? {} : { value }),
        })
    },
  })
  const changed = new Set(changes.map(({ pointer }) => printPointer(pointer)))
  const existing: JsonObject = input.target ?? {}
  const result = desired ?? existing
  return [...attributes.values()].map(({ pointer, origins }) => ({
    pointer,
    ...defined('before', getAt(existing, pointer)),
    ...defined('after', getAt(result, pointer)),
    changes: changed.has(printPointer(pointer)),
    origins,
  }))
}

function originOf(
  { source }: PropertyMapping,
  position: number,
  how: PropertyOrigin | undefined,
  value: Json | undefined,
): Origin {
  return {
    by: 'property',
    property: position,
    ...(how === undefined ? {} : { how }),
    ...(source === undefined ? {} : { source: printPointer(source).slice(1) }),
    ...defined('value', value),
  }
}

function defined(name: string, value: Json | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value }
}

/** The policies of the situation that were checked, in order, with the results of their conditions. The last one applies. */
export function explainChoice(
  mapping: Pick<Mapping, 'policies'>,
  situation: Situation,
  scope: Pick<PolicyScope, 'source' | 'linkQualifier'>,
  call: Call,
): readonly TriedPolicy[] {
  const tried: TriedPolicy[] = []
  matchingPolicy(mapping, situation, scope, call, (policy, held) => tried.push({ policy, held }))
  return tried
}
