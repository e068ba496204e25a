import { ConnectorError } from './errors.ts'
import type { ConnectorObject } from './query.ts'
import {
  type Attributes,
  attribute,
  sameValue,
  setAttribute,
  type Value,
  type ValueObject,
  valuesOf,
} from './values.ts'

/** The change of one attribute. Attributes without a change stay as they are. */
export type AttributeChange =
  /** Replaces its value, or all of its values. */
  | { readonly attribute: string; readonly kind: 'set'; readonly value: Value }
  | { readonly attribute: string; readonly kind: 'clear' }
  /**
   * Adds and removes values of a multi-valued attribute; others stay, even those that another program adds at the same time.
   * Adding a present value or removing an absent one does nothing. Only a connector with `deltas` gets these.
   */
  | {
      readonly attribute: string
      readonly kind: 'delta'
      readonly add: readonly Value[]
      readonly remove: readonly Value[]
    }

/**
 * One write. A password comes as a `Secret` under the attribute for `__PASSWORD__`: setting it is an administrator's
 * reset; together with `__CURRENT_PASSWORD__` it is a change by the owner. It is never cleared.
 */
export type ConnectorWrite =
  | { readonly operation: 'create'; readonly id?: string | undefined; readonly attributes: Attributes }
  | { readonly operation: 'update'; readonly id: string; readonly changes: readonly AttributeChange[] }
  | { readonly operation: 'delete'; readonly id: string }

/** `id` is the id of the object after the write; it may differ from the requested one. */
export type ConnectorWriteOutcome =
  | { readonly ok: true; readonly id: string; readonly object?: ConnectorObject | undefined }
  | { readonly ok: false; readonly error: Error }

export interface Write {
  /**
   * Applies the writes of one page in order; outcomes have the index of their write, and the failure of one does
   * not stop the others. Rejects only when the page as a whole could not be written (disk full, connection
   * lost); then nothing is written, if the system can ensure that.
   */
  writeMany(
    objectClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly ConnectorWriteOutcome[]>
}

export interface Deltas {
  /** True if an update may name values to add and to remove; otherwise the object is read, and all values are set. */
  deltas(objectClass: string, attribute: string): boolean
}

export interface IdOf {
  /**
   * The uid of an object with these attributes, before it is written; `proposed` where it has none and the system takes
   * the caller's. undefined where the system alone gives uids.
   */
  idOf(objectClass: string, attributes: Attributes, proposed?: string): string | undefined
}

export interface ExchangesIds {
  /**
   * True if objects of one page can take each other's ids: whether an id is taken is judged at the end of the page, and the page is
   * done as a whole or not at all, even if the process dies. Where not, such writes are refused, each of them.
   */
  exchangesIds(objectClass: string): boolean
}

export interface Held {
  /**
   * A value as it is read after it was set, e.g. as text, or trimmed; null where it is no value at all. What is held in the
   * same way is not written again. `present`: the value that is there; what the system takes for the same has its form. Pure;
   * throws what a write would be refused with.
   */
  held(objectClass: string, attribute: string, value: Value, present?: Value): Value
}

export interface Refusals {
  /**
   * Why these writes would be refused, at their places, as far as the connector can tell without writing: attributes that the
   * system does not have, values that it cannot hold. Not: whether an object is there, or an id is free. For plans; without it they
   * go by the schema.
   */
  refusals(
    objectClass: string,
    writes: readonly ConnectorWrite[],
    signal?: AbortSignal,
  ): Promise<readonly (Error | undefined)[]>
}

export interface Ordered {
  /** True if the order of the values of a multi-valued attribute says something. */
  ordered(objectClass: string, attribute: string): boolean
}

/** The changes that set these attributes; null clears. */
export function settingOf(attributes: ValueObject): readonly AttributeChange[] {
  return Object.entries(attributes).flatMap(([attribute, value]): AttributeChange[] => {
    if (value === undefined) return []
    return [value === null ? { attribute, kind: 'clear' } : { attribute, kind: 'set', value }]
  })
}

/** The attributes after the changes: for systems that store whole objects. */
export function changed<T extends Attributes>(attributes: T, changes: readonly AttributeChange[]): T {
  const result: T = { ...attributes }
  for (const change of changes) {
    const value = valueAfter(attribute(result, change.attribute), change)
    if (value === undefined || value === null) delete result[change.attribute]
    else setAttribute(result, change.attribute, value)
  }
  return result
}

/** The value of one attribute after a change; undefined: no value. */
export function valueAfter(before: Value | undefined, change: AttributeChange): Value | undefined {
  switch (change.kind) {
    case 'set':
      return Array.isArray(change.value) && change.value.length === 0 ? undefined : change.value
    case 'clear':
      return undefined
    case 'delta': {
      const kept = valuesOf(before).filter((one) => !includes(change.remove, one))
      const after = [...kept, ...change.add.filter((one) => !includes(kept, one))]
      return after.length === 0 ? undefined : after
    }
  }
}

function includes(values: readonly Value[], value: Value): boolean {
  return values.some((one) => sameValue(one, value))
}

/** Runs the writes of a page one by one; an error becomes the outcome of its write. */
export async function eachWrite(
  writes: readonly ConnectorWrite[],
  perform: (write: ConnectorWrite) => ConnectorObject | string | Promise<ConnectorObject | string>,
  signal?: AbortSignal,
): Promise<readonly ConnectorWriteOutcome[]> {
  const outcomes: ConnectorWriteOutcome[] = []
  for (const write of writes) {
    try {
      signal?.throwIfAborted()
      const done = await perform(write)
      outcomes.push(
        typeof done === 'string' ? { ok: true, id: done } : { ok: true, id: done._id, object: done },
      )
    } catch (error) {
      outcomes.push({
        ok: false,
        error: error instanceof Error ? error : new ConnectorError('failed', String(error)),
      })
    }
  }
  return outcomes
}
