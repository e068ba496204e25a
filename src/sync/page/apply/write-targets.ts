import type { JsonObject } from '../../../model/json.ts'
import { Problem } from '../../../model/problem.ts'
import type { Afterwards, ObjectSet, ObjectWriteRequest, Resource } from '../../../router/resources.ts'
import type { Operation } from '../operation.ts'
import { isShaped, shapePage } from '../shape-page.ts'
import type { Synchronization } from '../synchronization.ts'
import { intend, leavesDoubt, withdraw } from './intents.ts'
import type { Writers } from './writers.ts'

/** All target writes of a page in one call (engine §4.3, CREATE 5, UPDATE 4, DELETE 2). */
export async function writeTargets(
  sync: Synchronization,
  page: readonly Operation[],
  writers: Writers,
): Promise<void> {
  // What an onLink before the update changed persists, so these are shaped again on top of it.
  await shapePage(
    sync,
    page.filter(({ linkedTarget }) => linkedTarget !== undefined),
  )
  const operations = page.filter(({ failure }) => failure === undefined)
  await writeAll(sync, operations, writers)
  const overtaken = operations.filter(isOvertaken)
  if (overtaken.length > 0) await tryAgain(sync, overtaken, writers)
}

async function writeAll(
  sync: Synchronization,
  operations: readonly Operation[],
  { targets, apart }: Writers,
): Promise<void> {
  if (apart) await intend(sync, operations, targets)
  for (const operation of operations) {
    if (operation.action === 'UPDATE' && isShaped(operation) && !operation.desired)
      operation.effect = 'unchanged'
  }
  const writing = operations.flatMap((operation) => {
    const write = operation.failure ? undefined : writeOf(operation, targets)
    return write ? [{ operation, write }] : []
  })
  if (writing.length === 0) return
  const writes = writing.map(({ write }) => write)
  const { request } = sync.scripts
  const afterwards: Afterwards = (position, work) => {
    const { operation } = writing[position] as (typeof writing)[number]
    operation.consequence = work
  }
  const chain = { ...request.chain, afterwards }
  const results = await targets.writeMany(writes, { ...request, chain }, sync.signal)
  writing.forEach(({ operation }, position) => {
    const result = results[position]
    if (result?.ok) settle(operation, result.object)
    else settleFailure(operation, result?.error)
  })
}

/** Somebody else changed the target between our reading and our writing it. */
function isOvertaken({ action, failure }: Operation): boolean {
  return (
    action === 'UPDATE' && failure?.cause instanceof Problem && failure.cause.code === 'PRECONDITION_FAILED'
  )
}

/** Once more, on the target as it is now (engine §12.4): what the other one wrote is kept. */
async function tryAgain(
  sync: Synchronization,
  overtaken: readonly Operation[],
  writers: Writers,
): Promise<void> {
  const fresh = await writers.targets.readMany(
    overtaken.map(({ targetId }) => targetId as string),
    sync.signal,
  )
  await withdraw(sync, overtaken)
  for (const operation of overtaken) {
    operation.failure = undefined
    operation.desired = undefined
    operation.changes = []
    operation.target = fresh.get(operation.targetId as string)
  }
  await shapePage(sync, overtaken)
  await writeAll(
    sync,
    overtaken.filter(({ failure }) => failure === undefined),
    writers,
  )
}

function writeOf(
  operation: Operation,
  { updatesInPart, leavesAlone }: ObjectSet,
): ObjectWriteRequest | undefined {
  const { action, desired, target, targetId, newId } = operation
  if (action === 'DELETE') return target && { operation: 'delete', id: target._id, rev: target._rev }
  if (!desired) return undefined
  if (action === 'CREATE') return { operation: 'create', id: idOf(desired._id) ?? newId, content: desired }
  const whole = updatesInPart ? withClearedAttributes(operation, desired) : desired
  const content = leavesAlone ? withoutUntouched(operation, whole, leavesAlone) : whole
  return { operation: 'update', id: target?._id ?? (targetId as string), rev: target?._rev, content }
}

/** Attributes that a script has deleted from the target, as the set understands it. */
function withClearedAttributes({ changes }: Operation, desired: JsonObject): JsonObject {
  const deleted = changes.filter(({ pointer, after }) => pointer.length === 1 && after === undefined)
  if (deleted.length === 0) return desired
  return { ...desired, ...Object.fromEntries(deleted.map(({ pointer }) => [pointer[0], null])) }
}

/** What others have changed meanwhile stays, where the mapping has no wish of its own. */
function withoutUntouched(
  { changes }: Operation,
  desired: JsonObject,
  leavesAlone: (property: string) => boolean,
): JsonObject {
  const changed = new Set(changes.map(({ pointer: [name] }) => name))
  const kept = Object.entries(desired).filter(([name]) => changed.has(name) || !leavesAlone(name))
  const cleared = changes.flatMap(({ pointer: [name = ''], after }) =>
    after === undefined && leavesAlone(name) && desired[name] === undefined ? [[name, null] as const] : [],
  )
  return Object.fromEntries([...kept, ...cleared])
}

function idOf(id: unknown): string | undefined {
  return id === undefined || id === null ? undefined : String(id)
}

function settle(operation: Operation, object: Resource): void {
  if (operation.action === 'DELETE') {
    operation.effect = 'deleted'
    return
  }
  operation.effect = operation.action === 'CREATE' ? 'created' : 'updated'
  operation.oldTarget = operation.action === 'CREATE' ? undefined : operation.target
  operation.target = object
  operation.targetId = object._id
}

function settleFailure(operation: Operation, error: Error | undefined): void {
  // Somebody else deleted it already: the wish is fulfilled.
  if (operation.action === 'DELETE' && error instanceof Problem && error.status === 404) {
    operation.effect = 'deleted'
    return
  }
  const verb = { CREATE: 'create', DELETE: 'delete' }[operation.action as string] ?? 'update'
  const what = operation.targetId === undefined ? 'the target' : `target ${operation.targetId}`
  const why = `${error?.message ?? 'no answer'}${violatedPolicies(error)}`
  operation.inDoubt = leavesDoubt(error)
  operation.failure = new Problem('SYNC_FAILED', `could not ${verb} ${what}: ${why}`, { cause: error })
}

/** ` (mail: VALID_EMAIL_ADDRESS_FORMAT)`: which policies the target refused, so that nobody has to look further. */
function violatedPolicies(error: Error | undefined): string {
  const detail = error instanceof Problem ? error.detail : undefined
  const failed = (detail as { failedPolicyRequirements?: unknown } | undefined)?.failedPolicyRequirements
  if (!Array.isArray(failed)) return ''
  const facts = failed.map(({ property, policyRequirements }) => {
    const names = (policyRequirements as { policyRequirement: string }[]).map(
      ({ policyRequirement }) => policyRequirement,
    )
    return `${property}: ${names.join(', ')}`
  })
  return ` (${facts.join('; ')})`
}
