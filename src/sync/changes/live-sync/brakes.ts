import { hash } from 'node:crypto'
import { auditEvent } from '../../../audit/events.ts'
import { chunks, chunksOf } from '../../../kit/chunks.ts'
import type { Mapping } from '../../../mapping/mapping.ts'
import { everything } from '../../../model/filter/filter.ts'
import type { JsonObject } from '../../../model/json.ts'
import { asProblem, Problem } from '../../../model/problem.ts'
import { isUnreadable, parted } from '../../../model/unreadable.ts'
import type { ObjectSet, RequestContext, SetChange } from '../../../router/resources.ts'
import { applyPage } from '../../page/apply/apply.ts'
import { linkedTargets } from '../../page/counted.ts'
import { type ReadSource, readSource } from '../../page/operation.ts'
import type { Synchronization } from '../../page/synchronization.ts'
import { synchronize } from '../../page/synchronize.ts'
import { Guard } from '../../reconciliation/guard.ts'
import { releasesOf, settingsFor } from '../../reconciliation/request.ts'
import type { SyncServices } from '../../services.ts'
import { openSingle, qualifiersOf } from '../../single/look.ts'

export type Delta = Exclude<SetChange, { kind: 'END' | 'INCOMPLETE' }>

/** How many changes are decided together. */
const pageSize = 500

/**
 * Stops mass damage before the first write, as in a run: refuses the whole call if the source is empty and a mapping does not
 * allow that, or if a mapping's `guard` does not allow the changes. For that they are read once without writing, and a digest
 * of each is kept; only those may be synchronized. Undefined, and nothing read, where no mapping could refuse anything.
 */
export async function judge(
  options: SyncServices,
  { source, overrides }: { readonly source: string; readonly overrides?: JsonObject },
  since: () => AsyncIterable<SetChange>,
  context: RequestContext,
): Promise<{ has(change: Delta): boolean } | undefined> {
  const mappings = options.mappings().filter((one) => one.source === source && one.changes.enabled)
  const braked = await Promise.all(
    mappings.map(async (mapping) => {
      const { guard, allowEmptySourceSet } = settingsFor(mapping, overrides)
      const linked = await linkedTargets(mapping, options.repository.links)
      return { guard: new Guard(mapping, guard, linked), allowEmptySourceSet }
    }),
  )
  await recordOverride(options, { source, mappings, overrides }, context)
  const guards = braked.map(({ guard }) => guard).filter(({ mayRefuse }) => mayRefuse)
  const nonempty = braked.find(({ allowEmptySourceSet }) => !allowEmptySourceSet)
  if (guards.length === 0 && !nonempty) return undefined
  const counters = guards.map((guard) => counter(options, guard, context))
  const seen = new Set<string>()
  const gone: Delta[] = []
  for await (const page of chunksOf(deltas(since()), pageSize)) {
    for (const change of page) seen.add(digestOf(change))
    // Deletes come last, as in the pass that synchronizes them.
    gone.push(...page.filter(({ kind }) => kind === 'DELETE'))
    for (const count of counters) await count(page.filter(({ kind }) => kind !== 'DELETE'))
  }
  for (const page of chunks(gone, pageSize)) for (const count of counters) await count(page)
  const deletes = gone.length
  if (nonempty && deletes > 0 && (await isEmpty(options.resources().objectSet(source))))
    throw emptied(nonempty.guard.mapping, source, deletes)
  for (const guard of guards) {
    const look = `Look at \`syncline plan ${guard.mapping.name}\`. If it is right, allow it for this call`
    const allow = `\`syncline livesync ${source} --override-guard --reason "…"\` (the same as --guard off)`
    guard.requireWithin({
      hint: `${look}: ${allow}, or "overrideGuard": true and "reason" in the request.`,
    })
  }
  return { has: (change) => seen.has(digestOf(change)) }
}

/** Who lets a call through that the guard of a mapping may refuse, and why. */
async function recordOverride(
  { repository }: SyncServices,
  {
    source,
    mappings,
    overrides = {},
  }: { source: string; mappings: readonly Mapping[]; overrides?: JsonObject | undefined },
  { userId, transactionId }: RequestContext,
): Promise<void> {
  const reasons = mappings.map(({ reconciliation }) => releasesOf(reconciliation, overrides).reason)
  const reason = reasons.find((one) => one !== undefined)
  if (reason === undefined) return
  const event = auditEvent.activity({
    ...{ userId, transactionId, objectId: source, operation: 'ACTION' },
    message: `liveSync: the guard is overridden: ${reason}`,
  })
  await repository.audit.append([event])
}

function emptied({ name }: Mapping, source: string, deletes: number): Problem {
  const fact = `${source} holds nothing any more, and allowEmptySourceSet is not true`
  const message = `${name}: nothing was written: ${fact}. Objects that are gone: ${deletes}`
  const hint = `Check that the source export is complete. If it is to be empty, allow it for this call: \`syncline livesync ${source} --allow-empty-source --reason "…"\`, or "allowEmptySourceSet": true and "reason" in the request.`
  return new Problem('EMPTY_SOURCE', message, { detail: { source, deletes }, hint })
}

/** Counts changes for a guard. One that cannot be decided, because the target does not answer, counts as what it says it is. */
function counter(options: SyncServices, guard: Guard, context: RequestContext) {
  const { name } = guard.mapping
  let sync: Synchronization | undefined
  const open = async (): Promise<Synchronization> => ({
    ...(await openSingle(options, name, context, { analysis: true, ofChange: true })),
    ...{ hooks: 'skip', until: guard.until, log: () => {} },
  })
  return async (page: readonly Delta[]): Promise<void> => {
    try {
      sync ??= await open()
      const opened = sync
      for (const part of chunks(page, opened.rules.oneByOne ? 1 : page.length)) {
        const reads = (await Promise.all(part.map((change) => readsOf(opened, change)))).flat()
        await synchronize(opened, reads, (decided) => applyPage(opened, decided, guard.recorder))
      }
    } catch (error) {
      const why = asProblem(error).message
      options.log('warn', `${name}: what changes would do could not be decided beforehand: ${why}`)
      for (const change of page)
        if (unreadableIn(change) === undefined) guard.add(kindOf[change.kind], change.id)
    }
  }
}

const kindOf = {
  DELETE: 'deletes',
  CREATE: 'creates',
  UPDATE: 'updates',
  CREATE_OR_UPDATE: 'updates',
} as const

/** Why the object of a change cannot be read. */
export function unreadableIn(change: Delta): Problem | undefined {
  return change.kind === 'DELETE' ? undefined : parted(change.object).problem
}

/** One a qualifier; none if its script fails, for then nothing will be written, either. */
async function readsOf(sync: Synchronization, change: Delta): Promise<readonly ReadSource[]> {
  const source = change.kind === 'DELETE' ? undefined : change.object
  // It will not be synchronized.
  if (isUnreadable(source)) return []
  // A link still has the id that it had before.
  const id = (change.kind === 'DELETE' ? undefined : change.previousId) ?? change.id
  const qualifiers = await qualifiersOf(sync, source).catch(() => [])
  return qualifiers.map((qualifier) => readSource(id, source, qualifier))
}

async function* deltas(changes: AsyncIterable<SetChange>): AsyncGenerator<Delta> {
  for await (const change of changes) {
    if (change.kind === 'END' || change.kind === 'INCOMPLETE') return
    yield change
  }
}

/** A system that cannot be searched is not known to be empty. */
async function isEmpty(set: ObjectSet): Promise<boolean> {
  try {
    for await (const page of set.pages({ filter: everything, fields: [['_id']], pageSize: 1 }))
      if (page.length > 0) return false
    return true
  } catch (error) {
    if (error instanceof Problem && error.code === 'NOT_IMPLEMENTED') return false
    throw error
  }
}

/** Of what the change is, not of its token: that differs from one reading to the next. */
function digestOf(change: Delta): string {
  const { kind, id } = change
  const content =
    kind === 'DELETE'
      ? []
      : [
          change.previousId ?? null,
          isUnreadable(change.object) ? change.object.problem.message : change.object,
        ]
  return hash('sha1', JSON.stringify([kind, id, ...content]), 'base64')
}
