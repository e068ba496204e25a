import { everything } from '../../model/filter/filter.ts'
import type { JsonObject } from '../../model/json.ts'
import { isUnreadable } from '../../model/unreadable.ts'
import { type Connector, offers } from '../kit/connector.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { Search, SearchEnd } from '../kit/query.ts'
import { describedAttribute, type Schema } from '../kit/schema.ts'
import type { Steps } from '../kit/steps.ts'
import type { Calls } from './calls.ts'
import type { ObjectType } from './object-type.ts'
import { timeoutOf } from './operation.ts'
import { permission } from './permission.ts'
import { RecordedSteps, type TestResult } from './test-steps.ts'

/** As many as runs ask for, so that the limits of the system show. */
const pageSize = 500

export interface Tested {
  readonly system: string
  readonly connector: Connector
  readonly configuration: JsonObject
  readonly types: ReadonlyMap<string, ObjectType>
  readonly calls: Calls
}

/**
 * Tests a system as it would be used: the connector takes its own steps (name, connection, TLS, login, base or table), then its schema is
 * compared with the configured types, and of each type that may be searched the ids of two pages are read. Never rejects.
 */
export async function testSystem({
  system,
  connector,
  configuration,
  types,
  calls,
}: Tested): Promise<TestResult> {
  const steps = new RecordedSteps(() => performance.now())
  const operation = { system, name: 'TEST', timeout: timeoutOf(configuration, 'TEST') } as const
  try {
    await calls.call(operation, undefined, async (signal) => {
      if (offers(connector, 'test')) await connector.test(signal, steps)
      if (offers(connector, 'schema')) await compareTypes(connector, types, steps, signal)
      if (!offers(connector, 'search')) return
      for (const type of types.values())
        if (maySearch(configuration, type)) await readTwoPages(connector, type, steps, signal)
    })
    return steps.end()
  } catch (error) {
    return steps.end(error)
  }
}

function maySearch(configuration: JsonObject, type: ObjectType): boolean {
  try {
    return permission(configuration, 'SEARCH', type) === 'allowed'
  } catch {
    return false
  }
}

/** A property that the system lacks is no failure: the run says the same, and reads it as absent. */
async function compareTypes(
  connector: Schema,
  types: ReadonlyMap<string, ObjectType>,
  steps: Steps,
  signal: AbortSignal | undefined,
): Promise<void> {
  steps.enter('schema')
  const classes = await connector.schema(signal)
  const lacking = [...types.values()].flatMap(({ name, objectClass, properties }) => {
    const described = classes[objectClass]
    if (!described) return [`${name}: there are no objects of the type ${objectClass}`]
    const absent = [...properties.values()].filter(
      ({ attribute }) => attribute !== '_id' && !describedAttribute(described, attribute),
    )
    return absent.length === 0 ? [] : [`${name}: no ${absent.map(({ attribute }) => attribute).join(', ')}`]
  })
  const advice =
    lacking.length === 0
      ? undefined
      : `The configuration declares what the system does not have (${lacking.join('; ')}): correct nativeName, or leave it out.`
  steps.tell(`types of objects: ${Object.keys(classes).join(', ') || 'none'}`, advice)
}

async function readTwoPages(
  connector: Search,
  { name, objectClass }: ObjectType,
  steps: Steps,
  signal: AbortSignal | undefined,
): Promise<void> {
  const query = { objectClass, filter: everything, fields: [], pageSize }
  const pages = connector.search(query, signal)[Symbol.asyncIterator]()
  try {
    for (const step of ['first page', 'second page'] as const) {
      steps.enter(step, name)
      const next = await pages.next()
      if (next.done) {
        requireWhole(next.value)
        steps.tell(`${name}: ${step === 'first page' ? 'none' : 'no more'}`)
        return
      }
      const unreadable = next.value.filter(isUnreadable).length
      const counted = `${name}: ${next.value.length}`
      if (unreadable === 0) steps.tell(counted)
      else steps.tell(`${counted}, ${unreadable} unreadable`, 'Repair them: the log of a run names each.')
      // A page that is not full may be the last one because a limit ended it.
      if (step === 'second page' && next.value.length < pageSize) {
        const after = await pages.next()
        if (after.done) requireWhole(after.value)
      }
    }
  } finally {
    await pages.return?.()
  }
}

function requireWhole(end: SearchEnd): void {
  if (end && end.state !== 'complete') throw new ConnectorError('failed', end.reason)
}
