import type { Change } from '../model/diff.ts'
import type { Json } from '../model/json.ts'
import { printPointer } from '../model/pointer.ts'
import type { AttributeChanges, Group, LinesDigest, Refusal, Who } from './digest.ts'
import { outliers } from './outliers.ts'
import type { PlanLine } from './plan-line.ts'

/** As many as are named of what is alike. */
const named = 5
/** As many different changes of an attribute as are told apart. */
const toldApart = 500

interface Tally {
  count: number
  readonly who: Who[]
}
interface PairTally extends Tally, Pick<Change, 'before' | 'after'> {}
interface AttributeTally extends Tally, Pick<AttributeChanges, 'attribute' | 'kind'> {
  readonly pairs: Map<string, PairTally>
  more: boolean
}
interface GroupTally extends Tally, Pick<Group, 'situation' | 'action'> {
  readonly attributes: Map<string, AttributeTally>
}
interface RefusalTally extends Tally, Pick<Refusal, 'reason' | 'situation' | 'action'> {}

/** Takes the lines of a plan one by one, and keeps what is alike. */
export class Digesting {
  readonly #groups = new Map<string, GroupTally>()
  readonly #refusals = new Map<string, RefusalTally>()
  readonly #unforeseen = new Map<string, RefusalTally>()
  readonly #unchanged: Record<string, number> = {}
  #writes = 0

  add(line: PlanLine): void {
    const situation = line.situation ?? 'FAILED'
    const action = line.deleteAfter === undefined ? (line.action ?? 'NONE') : 'DISABLE, DELETE LATER'
    if (line.refusal !== undefined) addReason(this.#refusals, line, line.refusal, { situation, action })
    else if (!line.writes) this.#unchanged[situation] = (this.#unchanged[situation] ?? 0) + 1
    if (!line.writes || line.refusal !== undefined) return
    this.#writes++
    if (line.unforeseen !== undefined)
      addReason(this.#unforeseen, line, line.unforeseen, { situation, action })
    const group = at(this.#groups, `${situation}\n${action}`, () => ({
      ...{ situation, action, count: 0, who: [], attributes: new Map() },
    }))
    counted(group, line)
    for (const change of changesOf(line)) addChange(group, change, line)
  }

  digest(): LinesDigest {
    const groups = [...this.#groups.values()].map(groupOf).toSorted(byWeight)
    return {
      writes: this.#writes,
      rare: outliers(groups, this.#writes),
      groups,
      refusals: mostFirst(this.#refusals),
      unforeseen: mostFirst(this.#unforeseen),
      unchanged: this.#unchanged,
    }
  }
}

function addReason(
  reasons: Map<string, RefusalTally>,
  line: PlanLine,
  why: string,
  about: Pick<Refusal, 'situation' | 'action'>,
): void {
  const [common = '', ...own] = why.split('; ')
  const reason = withoutOwn(common, line)
  const key = `${about.situation}\n${about.action}\n${reason}`
  counted(
    at(reasons, key, () => ({ ...about, reason, count: 0, who: [] })),
    line,
    own.length === 0 ? undefined : own.join('; '),
  )
}

function mostFirst(reasons: ReadonlyMap<string, RefusalTally>): readonly Refusal[] {
  return [...reasons.values()].toSorted((a, b) => b.count - a.count)
}

/** Of a deletion: what is lost with the target. */
function changesOf({ changes, lost }: PlanLine): readonly Change[] {
  if (!lost) return changes
  return Object.entries(lost).map(([name, before]) => ({ pointer: [name], before, after: undefined }))
}

function addChange(group: GroupTally, { pointer, before, after }: Change, line: PlanLine): void {
  if (isNothing(before) && isNothing(after)) return
  const kind = isNothing(before) ? 'added' : isNothing(after) ? 'removed' : 'changed'
  const attribute = printPointer(pointer).slice(1)
  const tally = at(
    group.attributes,
    `${kind}\n${attribute}`,
    (): AttributeTally => ({
      ...{ attribute, kind, count: 0, who: [], pairs: new Map(), more: false },
    }),
  )
  counted(tally, line)
  const key = JSON.stringify([before ?? null, after ?? null])
  if (!tally.pairs.has(key) && tally.pairs.size >= toldApart) tally.more = true
  else
    counted(
      at(tally.pairs, key, () => ({ before, after, count: 0, who: [] })),
      line,
    )
}

function isNothing(value: Json | undefined): boolean {
  return value === undefined || value === null
}

function counted(tally: Tally, { name, sourceId, targetId }: PlanLine, because?: string): void {
  tally.count++
  if (tally.who.length >= named) return
  const more = { ...(name !== undefined && { name }), ...(because !== undefined && { because }) }
  tally.who.push({ ...more, sourceId, targetId })
}

function at<T>(tallies: Map<string, T>, key: string, make: () => T): T {
  const known = tallies.get(key)
  if (known) return known
  const made = make()
  tallies.set(key, made)
  return made
}

function groupOf({ situation, action, count, who, attributes }: GroupTally): Group {
  const all = [...attributes.values()].map(
    ({ attribute, kind, count, pairs, more, who }): AttributeChanges => {
      const found = [...pairs.values()].toSorted((a, b) => b.count - a.count)
      const few = found.length <= named
      const same = found.filter((pair) => few || pair.count > 1)
      const [example] = same.length === 0 ? found : []
      const pair = example && { example: { before: example.before, after: example.after } }
      return { attribute, kind, count, same, ...pair, different: found.length, more, who }
    },
  )
  return { situation, action, count, who, attributes: all.toSorted((a, b) => b.count - a.count) }
}

const order = ['DELETE', 'DISABLE, DELETE LATER', 'UNLINK', 'CREATE', 'UPDATE', 'LINK']

/** What takes something away comes first. */
function byWeight(a: Group, b: Group): number {
  return order.indexOf(a.action) - order.indexOf(b.action) || b.count - a.count
}

/** A reason without what belongs to one entry alone: its ids and quoted values. */
function withoutOwn(reason: string, { sourceId, targetId }: PlanLine): string {
  let text = reason.replaceAll(/"[^"]*"/g, '"…"')
  for (const id of [sourceId, targetId]) if (id !== null && id.length > 0) text = text.replaceAll(id, '…')
  return text
}
