import { offers } from '../kit/connector.ts'
import type { Comparison, NativeAttribute } from '../kit/schema.ts'
import { operation, type SystemFacts } from './facts.ts'
import type { ObjectType, Property } from './object-type.ts'

/**
 * The attributes of one type in the connector's schema. It is read once, before the first search that the
 * connector filters itself: only then does anything depend on how it compares.
 */
export interface NativeSchema {
  /** Reads the schema if it is needed and not known yet. A failed read is not an error: the schema then stays unknown. */
  load(signal: AbortSignal | undefined): Promise<void>
  /** Undefined while the attribute is unknown. */
  attribute(name: string): NativeAttribute | undefined
}

export function nativeSchema(facts: SystemFacts, type: ObjectType): NativeSchema {
  const { connector, calls } = facts
  let known: ReadonlyMap<string, NativeAttribute> | undefined
  return {
    async load(signal) {
      if (known || !offers(connector, 'schema') || !offers(connector, 'split')) return
      try {
        const classes = await calls.call(operation(facts, 'SCHEMA', type), signal, (both) =>
          connector.schema(both),
        )
        known = new Map(classes[type.objectClass]?.attributes.map((attribute) => [attribute.name, attribute]))
      } catch {
        signal?.throwIfAborted()
      }
    },
    attribute: (name) => known?.get(name),
  }
}

export function comparisonOf(schema: NativeSchema, property: Property | undefined): Comparison {
  if (property === undefined) return 'unknown'
  return schema.attribute(property.attribute)?.comparison ?? 'unknown'
}
