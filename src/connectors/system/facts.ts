import type { JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { Connector } from '../kit/connector.ts'
import type { Calls } from './calls.ts'
import type { Operation, OperationName } from './failure.ts'
import type { ObjectType } from './object-type.ts'
import { timeoutOf } from './operation.ts'
import type { Decrypt } from './secrets.ts'

/** What the object sets of one system share. */
export interface SystemFacts {
  readonly system: string
  readonly connector: Connector
  readonly configuration: JsonObject
  readonly decrypt: Decrypt
  readonly calls: Calls
  /** Told what was skipped because of `onDeny: DO_NOTHING`. */
  readonly log: (message: string) => void
}

export function operation(
  { system, configuration }: SystemFacts,
  name: OperationName,
  type: ObjectType,
  uid?: string,
): Operation {
  return { system, name, objectType: type.name, uid, timeout: timeoutOf(configuration, name) }
}

/** A page of operations may take as long as they may one after the other. */
export function ofMany(one: Operation, count: number): Operation {
  return {
    ...one,
    requests: count,
    timeout: one.timeout === undefined ? undefined : one.timeout * count,
  }
}

export function notOffered({ system }: SystemFacts, name: OperationName): Problem {
  return new Problem('NOT_IMPLEMENTED', `The connector of system ${system} does not offer ${name}`)
}
