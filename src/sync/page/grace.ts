import type { Grace } from '../../mapping/grace.ts'
import type { Mapping } from '../../mapping/mapping.ts'
import { diff } from '../../model/diff.ts'
import { copy, equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { getAt, type Pointer, printPointer, removeAt, setAt } from '../../model/pointer.ts'
import type { ObjectWrite, StoredObject } from '../../repository/objects.ts'
import type { ObjectSet, ProposedUpdate } from '../../router/resources.ts'
import { type Applied, type Decided, goesOn } from './operation.ts'
import { askThose } from './places.ts'
import type { Applying, Synchronization } from './synchronization.ts'

/**
 * Deleting in two steps (`deleteAfter`), as states of a link:
 *
 *     linked → disabled, with a due time → deleted
 *        ↑______________|
 *
 * A DELETE disables the target and writes down when it is due; the link stays. Whoever decides DELETE after that time deletes. If
 * the operation comes to something else before, because the source is back, the target is revived.
 */
export const pendingDeletions = 'sync/pendingDeletions'

/** Decided operations of a mapping with `deleteAfter`; one statement a page. What a caller asks for himself is done at once. */
export async function withGrace(
  { rules: { mapping }, repository, targets, action }: Synchronization,
  page: readonly Decided[],
): Promise<readonly Decided[]> {
  const { grace } = mapping
  if (!grace) return page
  const linked = page.flatMap((operation) =>
    operation.link && goesOn(operation) ? [operation.link.stored._id] : [],
  )
  if (linked.length === 0) return page
  const kept = await repository.objects.read(pendingDeletions, linked)
  const step = (operation: Decided): Decided => {
    const id = operation.link?.stored._id
    if (id === undefined || !goesOn(operation)) return operation
    return stepOf(mapping, grace, { operation, id, kept: kept.get(id), atOnce: action !== undefined })
  }
  return asHeld(targets, page.map(step))
}

/** What would be read back as it is now is no change. */
async function asHeld(targets: ObjectSet, page: readonly Decided[]): Promise<readonly Decided[]> {
  const { asHeld: hold } = targets
  if (!hold) return page
  const contents = await askThose(
    page,
    ({ grace, desired: content, target: existing }): ProposedUpdate | undefined =>
      grace && content && existing ? { content, existing } : undefined,
    hold,
  )
  return page.map((operation, place) => {
    const held = contents[place]
    if (!held) return operation
    const changes = marked(diff(operation.target ?? {}, held), operation)
    return { ...operation, changes, desired: changes.length > 0 ? held : undefined }
  })
}

interface Looked {
  readonly operation: Decided
  /** Of the link. */
  readonly id: string
  readonly kept: StoredObject | undefined
  readonly atOnce: boolean
}

function stepOf(mapping: Mapping, grace: Grace, { operation, id, kept, atOnce }: Looked): Decided {
  const { action, target, policy } = operation
  const own = policy === undefined ? undefined : mapping.policies[policy]?.deleteAfter
  const after = own ?? grace.after ?? 0
  if (action === 'DELETE' && target && after > 0 && !atOnce) {
    const due = dueIn(kept) ?? Date.now() + after
    if (due > Date.now()) return disabled(grace, { operation, target, id, kept, due })
  }
  if (!kept) return operation
  const ends = { kind: 'ends', link: id } as const
  if (action === 'UPDATE' && target)
    return { ...revived(mapping, grace, operation, target, kept), grace: ends }
  return action === 'DELETE' || action === 'UNLINK' || action === 'CREATE'
    ? { ...operation, grace: ends }
    : operation
}

function dueIn(kept: StoredObject | undefined): number | undefined {
  const due = kept && Date.parse(String(kept.due))
  return due === undefined || Number.isNaN(due) ? undefined : due
}

interface Disabling extends Pick<Looked, 'operation' | 'id' | 'kept'> {
  readonly target: JsonObject
  readonly due: number
}

function disabled({ disable }: Grace, { operation, target, id, kept, due }: Disabling): Decided {
  const desired = copy(target)
  for (const { pointer, value } of disable) setAt(desired, pointer, copy(value))
  const changes = diff(target, desired)
  const before = Object.fromEntries(
    disable.map(({ pointer }) => [printPointer(pointer), getAt(target, pointer) ?? null]),
  )
  const at = new Date(due).toISOString()
  return {
    ...operation,
    action: 'UPDATE',
    desired: changes.length > 0 ? desired : undefined,
    changes,
    grace: kept ? { kind: 'waits', due: at } : { kind: 'begins', link: id, due: at, before },
  }
}

/** What the mapping itself does not write becomes again what it was, if it is still as the disabling left it. */
function revived(
  mapping: Mapping,
  { disable }: Grace,
  operation: Decided,
  target: JsonObject,
  kept: StoredObject,
): Decided {
  const before = isJsonObject(kept.before) ? kept.before : {}
  const desired = copy(operation.desired ?? target)
  for (const { pointer, value } of disable) {
    const was = before[printPointer(pointer)]
    if (writes(mapping, pointer) || was === undefined || !isSame(getAt(desired, pointer) ?? null, value))
      continue
    if (was === null) removeAt(desired, pointer)
    else setAt(desired, pointer, copy(was))
  }
  const changes = diff(target, desired)
  return changes.length === 0 ? operation : { ...operation, desired, changes: marked(changes, operation) }
}

/** A system may give back `"false"` for false. */
function isSame(a: Json, b: Json): boolean {
  return equal(a, b) || (typeof a !== 'object' && typeof b !== 'object' && String(a) === String(b))
}

function writes({ properties }: Mapping, pointer: Pointer): boolean {
  return properties.some(({ target }) => target.join('/') === pointer.join('/'))
}

/** What was known to be made from a secret stays so. */
function marked(changes: Decided['changes'], { changes: before }: Decided): Decided['changes'] {
  const secret = new Set(before.filter((change) => change.secret).map(({ pointer }) => printPointer(pointer)))
  return changes.map((change) =>
    secret.has(printPointer(change.pointer)) ? { ...change, secret: true } : change,
  )
}

/** Writes down, with the links, which targets wait, and which do not any more. */
export async function keepPending({ store, rules }: Applying, page: readonly Applied[]): Promise<void> {
  const { name, links } = rules.mapping
  const since = new Date().toISOString()
  const writes = page.flatMap((operation): ObjectWrite[] => {
    const { grace, sourceId = null, targetId = null, linkQualifier, situation = null } = operation
    if (!grace || !goesOn(operation) || grace.kind === 'waits') return []
    if (grace.kind === 'ends') return [{ operation: 'delete', id: grace.link }]
    const about = { mapping: name, linkType: links.type, linkQualifier, sourceId, targetId, situation }
    const content = { ...about, since, due: grace.due, before: grace.before }
    return [{ operation: 'create', id: grace.link, content }]
  })
  if (writes.length > 0) await store.objects.write(pendingDeletions, writes)
}
