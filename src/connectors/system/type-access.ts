import type { Json, JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import { type Connector, offers } from '../kit/connector.ts'
import { type Comparison, describedAttribute, type NativeAttribute, type Schema } from '../kit/schema.ts'
import type { Calls } from './calls.ts'
import type { ObjectType, Property } from './object-type.ts'
import { type Operation, type OperationName, timeoutOf } from './operation.ts'
import { permission } from './permission.ts'

/** What the object types of one system share. */
export interface SystemFacts {
  readonly system: string
  readonly connector: Connector
  readonly configuration: JsonObject
  /** A deep copy with every encrypted value in plaintext. */
  readonly decrypt: (value: Json) => Promise<Json>
  readonly calls: Calls
  /** Called with what was skipped because of `onDeny: DO_NOTHING`. */
  readonly log: (message: string) => void
}

/** Of a call: the object it is about, or the number of objects. */
interface Extent {
  readonly uid?: string | undefined
  readonly count?: number
}

/** One object type of a system, with the rules for every call of its connector. */
export class TypeAccess {
  readonly facts: SystemFacts
  readonly connector: Connector
  readonly type: ObjectType
  #known: Promise<ReadonlyMap<string, NativeAttribute> | undefined> | undefined
  #comparisons: ReadonlyMap<string, Comparison | undefined> | undefined

  constructor(facts: SystemFacts, type: ObjectType) {
    this.facts = facts
    this.connector = facts.connector
    this.type = type
  }

  get path(): string {
    return `system/${this.facts.system}/${this.type.name}`
  }

  permission(name: OperationName): 'allowed' | 'skipped' {
    return permission(this.facts.configuration, name, this.type)
  }

  operation(name: OperationName, { uid, count = 1 }: Extent = {}): Operation {
    const { system, configuration } = this.facts
    const timeout = timeoutOf(configuration, name)
    // A page of operations may take as long as they may one after the other.
    return {
      system,
      name,
      objectType: this.type.name,
      uid,
      requests: count,
      timeout: timeout && timeout * count,
    }
  }

  call<T>(
    name: OperationName,
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal | undefined) => Promise<T>,
    extent?: Extent,
  ): Promise<T> {
    return this.facts.calls.call(this.operation(name, extent), signal, work)
  }

  stream<T, R>(
    name: OperationName,
    signal: AbortSignal | undefined,
    start: (signal: AbortSignal) => AsyncIterable<T, R>,
  ): AsyncGenerator<T, R | undefined> {
    return this.facts.calls.stream(this.operation(name), signal, start)
  }

  notOffered(name: OperationName): Problem {
    return new Problem(
      'NOT_IMPLEMENTED',
      `The connector of system ${this.facts.system} does not offer ${name}`,
    )
  }

  /** What the connector's schema now says of this type. */
  async attributes(
    connector: Pick<Schema, 'schema'>,
    signal: AbortSignal | undefined,
  ): Promise<readonly NativeAttribute[]> {
    const classes = await this.call('SCHEMA', signal, (both) => connector.schema(both))
    const described = classes[this.type.objectClass]
    if (!described) return []
    const named = new Set(described.attributes.map(({ name }) => name))
    const others = [...this.type.properties.values()].filter((property) => !named.has(property.attribute))
    return [
      ...described.attributes,
      ...others.flatMap((property) => describedAttribute(described, property.attribute) ?? []),
    ]
  }

  /** By name, read once; undefined where the system does not say. */
  knownAttributes(): Promise<ReadonlyMap<string, NativeAttribute> | undefined> {
    this.#known ??= this.#readKnown()
    return this.#known
  }

  async #readKnown(): Promise<ReadonlyMap<string, NativeAttribute> | undefined> {
    const { connector } = this
    if (!offers(connector, 'schema')) return undefined
    try {
      const attributes = await this.attributes(connector, undefined)
      return attributes.length > 0 ? new Map(attributes.map((one) => [one.name, one])) : undefined
    } catch {
      this.#known = undefined
      return undefined
    }
  }

  /**
   * Reads how the connector compares, once, before the first search that it filters itself: only then does anything
   * depend on that. A failed read is not an error: the comparisons stay unknown.
   */
  async loadComparisons(signal?: AbortSignal): Promise<void> {
    const { connector } = this
    if (this.#comparisons || !offers(connector, 'schema') || !offers(connector, 'split')) return
    try {
      const attributes = await this.attributes(connector, signal)
      this.#comparisons = new Map(attributes.map(({ name, comparison }) => [name, comparison]))
    } catch {
      signal?.throwIfAborted()
    }
  }

  comparisonOf(property: Property | undefined): Comparison {
    return (property && this.#comparisons?.get(property.attribute)) ?? 'unknown'
  }
}
