import { hash } from 'node:crypto'
import { diff } from '../../model/diff.ts'
import type { JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { maskChanges, maskFilter, redact } from '../../model/secrecy.ts'
import type { PlanEntry } from '../../plan/entry.ts'
import type { PlanLine, Read } from '../../plan/plan-line.ts'
import { reasonOf } from '../../plan/reason.ts'
import type { Resource } from '../../router/resources.ts'
import { nameOf } from '../page/names.ts'
import { type Applied, type Decided, planEntry, wasLinked } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'

/** A decided operation as a line of a plan: what is to be done, why, and what it was decided from. */
export function lineOf(
  sync: Synchronization,
  operation: Decided | Applied,
  entry: PlanEntry = planEntry(sync.rules.mapping, operation, sync.targets.isSecret),
): PlanLine {
  const { secrets } = sync
  const { phase, qualifies, disqualifiedBy, link, target, correlation, candidates, holder, situation } =
    operation
  const linked = wasLinked(operation) ? link : undefined
  const reason = reasonOf({
    phase,
    unreadable: operation.failure?.code === 'UNREADABLE',
    sourceExists: operation.source !== undefined,
    qualifies,
    disqualifiedBy,
    link: linked,
    targetExists: target !== undefined,
    correlation: correlation && maskFilter(correlation, secrets.isSecret),
    candidates,
    holder,
    targetRefused: situation === 'TARGET_IGNORED' && target !== undefined,
  })
  const name = nameOf(sync, [operation.source, operation.oldSource, target, operation.desired])
  const isLost = entry.action === 'DELETE' && entry.writes && target !== undefined
  return {
    ...{ ...entry, reason, read: readBy(operation) },
    ...(operation.undoes !== undefined && { undoes: operation.undoes }),
    ...(name !== undefined && { name }),
    ...(isLost && { lost: lostWith(target, secrets.isSecret) }),
  }
}

/** What goes with a target that is deleted. */
function lostWith(
  { _id, _rev, ...attributes }: Resource,
  isSecret: (pointer: Pointer) => boolean,
): JsonObject {
  const masked = maskChanges(diff(attributes, {}), isSecret).flatMap(({ pointer: [name = ''], before }) =>
    before === undefined || before === null ? [] : [[name, before] as const],
  )
  return redact(Object.fromEntries(masked))
}

function readBy(operation: Decided | Applied): Read {
  const { source, target, link } = operation
  return {
    source: source ? fingerprint(source) : null,
    target: target ? fingerprint(target) : null,
    link: link && wasLinked(operation) ? `${link.stored._id} ${link.stored._rev}` : null,
  }
}

/** The revision where there is one, else a digest of the content. */
function fingerprint(object: Resource): string {
  return typeof object._rev === 'string'
    ? object._rev
    : hash('sha256', JSON.stringify(sorted(object)), 'base64url')
}

/** The members in one order, whichever the system gave them in. */
function sorted(object: JsonObject): JsonObject {
  const names = Object.keys(object)
  const inOrder = names.every((name, position) => position === 0 || (names[position - 1] as string) <= name)
  return inOrder ? object : Object.fromEntries(names.toSorted().map((name) => [name, object[name] ?? null]))
}
