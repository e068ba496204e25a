import { createHash } from 'node:crypto'
import type { Mapping } from '../../../mapping/mapping.ts'
import { everything } from '../../../model/filter/filter.ts'
import type { JsonObject } from '../../../model/json.ts'
import { asProblem, Problem } from '../../../model/problem.ts'
import { exceeded } from '../../../plan/guard.ts'
import type { ObjectSet, RequestContext, SetChange } from '../../../router/resources.ts'
import { applyPage } from '../../page/apply/apply.ts'
import { type ReadSource, readSource } from '../../page/operation.ts'
import type { Synchronization } from '../../page/synchronization.ts'
import { synchronize } from '../../page/synchronize.ts'
import { counting, linkedTargets, mayExceed, needsShapes, refusal } from '../../reconciliation/guard.ts'
import { settingsFor } from '../../reconciliation/request.ts'
import { openSingle, qualifiersOf } from '../../single/look.ts'
import type { ImplicitSyncOptions } from '../implicit/implicit-sync.ts'

export type Delta = Exclude<SetChange, { kind: 'END' }>

/** The changes that were looked at and may be carried on. */
export interface Judged {
  has(change: Delta): boolean
}

/** How many changes are decided together. */
const pageSize = 500

/**
 * Stops mass damage before the first write, as in a run: refuses the whole call if the source holds nothing any more and a
 * mapping does not allow that, or if the changes would do more than a mapping's `guard` allows. For that the changes are read
 * once without writing; then only those may be carried on that were read here, for the source may change meanwhile. Memory
 * holds a digest a change. Undefined, and nothing read, where no mapping could stop anything.
 */
export async function judge(
  options: ImplicitSyncOptions,
  { source, overrides }: { readonly source: string; readonly overrides?: JsonObject },
  since: () => AsyncIterable<SetChange>,
  context: RequestContext,
): Promise<Judged | undefined> {
  const braked = await brakedMappings(options, source, overrides)
  const guarded = braked.filter((mapping) => mapping.isGuarded)
  const nonempty = braked.find(({ allowsEmpty }) => !allowsEmpty)
  if (guarded.length === 0 && !nonempty) return undefined
  const seen = new Set<string>()
  let deletes = 0
  for await (const page of inPages(since())) {
    for (const change of page) {
      seen.add(digestOf(change))
      if (change.kind === 'DELETE') deletes++
    }
    for (const mapping of guarded) await mapping.count(page, context)
  }
  if (nonempty && deletes > 0 && (await isEmpty(options.resources().objectSet(source))))
    throw emptied(nonempty.mapping, source, deletes)
  for (const mapping of guarded) mapping.requireWithinLimits()
  return { has: (change) => seen.has(digestOf(change)) }
}

function emptied({ name }: Mapping, source: string, deletes: number): Problem {
  const fact = `${source} holds nothing any more, and allowEmptySourceSet is not true`
  return new Problem(
    'EMPTY_SOURCE',
    `${name}: nothing was written: ${fact}. Objects that are gone: ${deletes}`,
    {
      detail: { source, deletes },
      hint: `Check that the source export is complete. If it is to be empty, allow it for this call: \`syncline livesync ${source} --allow-empty-source\`, or "allowEmptySourceSet": true in the request.`,
    },
  )
}

/** The mappings that carry changes of this source on, and what they allow. */
async function brakedMappings(
  options: ImplicitSyncOptions,
  source: string,
  overrides: JsonObject | undefined,
): Promise<readonly BrakedMapping[]> {
  const concerned = options
    .mappings()
    .filter((mapping) => mapping.source === source && mapping.changes.enabled)
  return Promise.all(
    concerned.map(async (mapping) => {
      const linked = await linkedTargets(mapping, options.repository.links)
      return new BrakedMapping(options, mapping, settingsFor(mapping, overrides), linked)
    }),
  )
}

class BrakedMapping {
  readonly mapping: Mapping
  readonly allowsEmpty: boolean
  readonly isGuarded: boolean
  readonly #options: ImplicitSyncOptions
  readonly #guard: Mapping['reconciliation']['guard']
  readonly #linked: number
  readonly #tally = counting()
  #sync: Synchronization | undefined

  constructor(
    options: ImplicitSyncOptions,
    mapping: Mapping,
    { guard, allowEmptySourceSet }: Mapping['reconciliation'],
    linked: number,
  ) {
    this.#options = options
    this.mapping = mapping
    this.allowsEmpty = allowEmptySourceSet
    this.isGuarded = mayExceed(mapping, guard, linked)
    this.#guard = guard
    this.#linked = linked
  }

  /**
   * What cannot be decided, because the target does not answer, counts as what it says it is: whether it is carried on after
   * all is for the failure handler to say.
   */
  async count(page: readonly Delta[], context: RequestContext): Promise<void> {
    try {
      this.#sync ??= await this.#open(context)
      const size = this.#sync.rules.oneByOne ? 1 : page.length
      for (let start = 0; start < page.length; start += size)
        await this.#decide(this.#sync, page.slice(start, start + size))
    } catch (error) {
      this.#options.log(
        'warn',
        `${this.mapping.name}: what changes would do could not be decided beforehand: ${asProblem(error).message}`,
      )
      for (const { kind, id } of page) this.#tally.add(kindOf[kind], id)
    }
  }

  requireWithinLimits(): void {
    const { name, source } = this.mapping
    const excess = exceeded(this.#guard, { ...this.#tally, linked: this.#linked })
    if (excess.length === 0) return
    const hint = `Look at \`syncline plan ${name}\`. If it is right, allow it for this call: \`syncline livesync ${source} --guard off\`, or "guard": false in the request.`
    throw refusal(name, excess, hint)
  }

  async #open(context: RequestContext): Promise<Synchronization> {
    const { name } = this.mapping
    const extra = { sync: { mapping: name, enabled: true } }
    const sync = await openSingle(this.#options, name, context, { analysis: true, extra })
    return { ...sync, hooks: 'skip', until: needsShapes(this.#guard) ? 'shape' : 'action', log: () => {} }
  }

  async #decide(sync: Synchronization, page: readonly Delta[]): Promise<void> {
    const reads = (await Promise.all(page.map((change) => readsOf(sync, change)))).flat()
    await synchronize(sync, reads, (decided) => applyPage(sync, decided, this.#tally.recorder))
  }
}

const kindOf = {
  DELETE: 'deletes',
  CREATE: 'creates',
  UPDATE: 'updates',
  CREATE_OR_UPDATE: 'updates',
} as const

/** One a qualifier; none if its script fails, for then nothing will be written, either. */
async function readsOf(sync: Synchronization, change: Delta): Promise<readonly ReadSource[]> {
  const source = change.kind === 'DELETE' ? undefined : change.object
  // A link still has the id that it had before.
  const id = (change.kind === 'DELETE' ? undefined : change.previousId) ?? change.id
  const qualifiers = await qualifiersOf(sync, source).catch(() => [])
  return qualifiers.map((qualifier) => readSource(id, source, qualifier))
}

async function* inPages(changes: AsyncIterable<SetChange>): AsyncGenerator<readonly Delta[]> {
  let page: Delta[] = []
  for await (const change of changes) {
    if (change.kind === 'END') break
    page.push(change)
    if (page.length < pageSize) continue
    yield page
    page = []
  }
  if (page.length > 0) yield page
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
  const content = kind === 'DELETE' ? [] : [change.previousId ?? null, change.object]
  return createHash('sha1')
    .update(JSON.stringify([kind, id, ...content]))
    .digest('base64')
}
