import type { Json } from '../model/json.ts'
import { mask } from '../model/secrecy.ts'
import type {
  AttributeChanges,
  Group,
  LinesDigest,
  PlanDigest,
  Rare,
  Refusal,
  SameChange,
  Who,
} from './digest.ts'
import type { FlowsOn, Rehearsed } from './flows-on.ts'

/** A plan as a document, whatever its format: a few sections of few rows, however many entries it has. */
export interface Report {
  readonly title: string
  /** Whose it is, what it does in sum, what stands against it. */
  readonly facts: readonly string[]
  readonly sections: readonly Section[]
}

export interface Section {
  readonly title: string
  readonly tone: Tone
  readonly rows: readonly Row[]
  /** What is left out, or to be said besides. */
  readonly note?: string | undefined
}

export type Tone = 'rare' | 'refused' | 'adds' | 'changes' | 'removes'

export interface Row {
  readonly sign: '+' | '~' | '-' | '!' | ''
  readonly what: string
  readonly how: string
  readonly count: string
  readonly who: string
}

/** Rows of one section. */
const shown = 8
const shownRare = 15
const shownLost = 20

export function reportOf(digest: PlanDigest): Report {
  const { header, behind } = digest
  const title =
    header.undoes === undefined
      ? `Plan of ${header.mapping}`
      : `The way back from run ${header.undoes} of ${header.mapping}`
  const sections = [
    ...sectionsOf(digest),
    ...behind.flatMap((one) =>
      sectionsOf(one).map((section) => ({
        ...section,
        title: `Behind it, by ${one.mapping}: ${section.title}`,
      })),
    ),
  ]
  return { title, facts: factsOf(digest), sections }
}

function sectionsOf({ rare, groups, refusals, unforeseen }: LinesDigest): readonly Section[] {
  return [
    ...section('Look at these first: few do this', 'rare', rare.map(rareRow), shownRare),
    ...groups.flatMap((group) => groupSections(group)),
    ...section('Will not be done', 'refused', refusals.map(refusalRow), shown),
    ...section('May come out otherwise', 'rare', unforeseen.map(refusalRow), shown),
  ]
}

function factsOf({ header, writes, refusals, unchanged }: PlanDigest): readonly string[] {
  const { created, createdBy, entries, guard, filters, request } = header
  const { flowsOn = [], after = [], rehearsed, notForeseen } = header
  const refused = refusals.reduce((sum, { count }) => sum + count, 0)
  const idle = Object.entries(unchanged)
  const inSum = [
    `${number(entries)} entries`,
    `${number(writes)} to write`,
    ...(refused > 0 ? [`${number(refused)} that will not be done`] : []),
    `${number(idle.reduce((sum, [, count]) => sum + count, 0))} with nothing to do`,
  ]
  const part = Object.keys(filters).length > 0 || request.sourceId !== undefined
  return [
    `made ${created} by ${createdBy}${part ? '; only a part of the run' : ''}`,
    inSum.join(', '),
    ...(idle.length > 0
      ? [`Nothing to do: ${idle.map(([situation, count]) => `${situation} ${number(count)}`).join(', ')}`]
      : []),
    ...(after.length > 0 ? [`As it would be when ${after.join(', ')} had been performed`] : []),
    ...flowsOn.map(flowOnFact),
    ...(notForeseen ? [notForeseenFact(notForeseen)] : []),
    ...rehearsalFacts(rehearsed),
    ...guard.exceeded.map((excess) => `The guard would stop this run: ${excess}`),
  ]
}

/** Without what the mapping behind decides, only how much it is told. */
export function flowOnFact({ mapping, target, changes, queued, decided }: FlowsOn): string {
  const how = queued ? 'through its queue' : 'at once'
  const told = `Flows on to ${target} by ${mapping}, ${how}: ${number(changes)} change${changes === 1 ? '' : 's'}`
  if (!decided) return told
  const { creates, updates, deletes, others } = decided.writes
  const writes = Object.entries({ creates, updates, deletes, others }).filter(([, count]) => count > 0)
  const inSum = writes.map(([what, count]) => `${number(count)} ${what}`).join(', ')
  const failing = decided.failed > 0 ? `, ${number(decided.failed)} that would fail` : ''
  const { heldBack = 0 } = decided
  const held = heldBack > 0 ? `, ${number(heldBack)} that its guard would hold back` : ''
  return `${told}, ${inSum === '' ? 'nothing to write' : inSum}${failing}${held}`
}

/** What a rehearsal showed that the plan does not say. */
export function rehearsalFacts(rehearsed: Rehearsed | undefined): readonly string[] {
  if (!rehearsed) return []
  const { unexpected, stale, notDone, broken } = rehearsed
  return [
    ...(broken === undefined ? [] : [`The rehearsal broke off: ${broken}`]),
    ...(stale > 0 ? [`${number(stale)} entries did not hold any more when they were rehearsed`] : []),
    ...unexpected.map(
      ({ count, message, example }) =>
        `In the rehearsal ${number(count)} failed: ${message}${example === null ? '' : ` (e.g. ${example})`}`,
    ),
    ...Object.entries(notDone).map(
      ([path, count]) =>
        `Scripts ask ${path} ${number(count)} time${count === 1 ? '' : 's'}: that is not done in a rehearsal, so what follows from it is not known`,
    ),
  ]
}

export function notForeseenFact(scripts: readonly string[]): string {
  return `Scripts that run when it is performed: ${scripts.join(', ')}. What they do is not in this plan`
}

function section(title: string, tone: Tone, rows: readonly Row[], most: number): readonly Section[] {
  if (rows.length === 0) return []
  const left = rows.length - most
  const note = left > 0 ? `… and ${number(left)} more` : undefined
  return [{ title, tone, rows: rows.slice(0, most), note }]
}

const tones: Readonly<Record<string, Tone>> = { CREATE: 'adds', LINK: 'adds', UPDATE: 'changes' }

function groupSections({ situation, action, count, attributes, who }: Group): readonly Section[] {
  const tone = tones[action] ?? 'removes'
  const lines = attributes.map((one) => attributeRow(one, count))
  const named = tone === 'removes' ? allNames(who, count) : names(who, count)
  const people: Row = { sign: '', what: action, how: situation, count: number(count), who: named }
  const rows = lines.length === 0 || tone === 'removes' ? [people, ...lines] : lines
  const lost = action === 'DELETE' ? '; what is lost:' : ''
  return section(
    `${action} ${number(count)} (${situation})${lost}`,
    tone,
    rows,
    lost === '' ? shown : shownLost,
  )
}

const signs = { added: '+', changed: '~', removed: '-' } as const

function attributeRow(changes: AttributeChanges, of: number): Row {
  const { attribute, kind, count, who } = changes
  const share = count === of ? number(count) : `${number(count)} of ${number(of)}`
  return {
    sign: signs[kind],
    what: attribute,
    how: howOf(changes),
    count: share,
    who: count === of ? '' : names(who, count),
  }
}

/** The changes that most have in common; otherwise how many there are, with one of them. */
function howOf({ kind, same, example, different, more, count }: AttributeChanges): string {
  const [first, ...others] = same
  if (first && different === 1) return change(kind, first)
  if (first && first.count * 2 >= count) {
    const rest = `${more ? 'more than ' : ''}${number(different - 1)} other${different === 2 ? '' : 's'}`
    return `${change(kind, first)} ${times(first.count)}, and ${rest}`
  }
  const one = first ?? example
  const often =
    others.length > 0 && different <= 3
      ? same.map((one) => `${change(kind, one)} (${number(one.count)})`)
      : []
  if (often.length > 0) return often.join('; ')
  return `${more ? 'more than ' : ''}${number(different)} different values${one ? `, e.g. ${change(kind, one)}` : ''}`
}

function times(count: number): string {
  return count === 1 ? 'once' : `${number(count)} times`
}

function change(
  kind: AttributeChanges['kind'],
  { before, after }: Pick<SameChange, 'before' | 'after'>,
): string {
  if (kind === 'added') return value(after)
  if (kind === 'removed') return value(before)
  return `${value(before)} → ${value(after)}`
}

function rareRow({ situation, action, count, of, who, change: one }: Rare): Row {
  const share = `${number(count)} of ${number(of)}`
  const shared = { count: share, who: names(who, count) }
  if (!one) return { sign: '!', what: action, how: situation, ...shared }
  const isSame = one.before !== undefined || one.after !== undefined
  const how = isSame ? change(one.kind, one) : 'values of their own'
  return { sign: signs[one.kind], what: one.attribute, how: `${how} (${action})`, ...shared }
}

function refusalRow({ reason, situation, action, count, who }: Refusal): Row {
  return {
    sign: '!',
    what: `${action} (${situation})`,
    how: reason,
    count: number(count),
    who: names(who, count),
  }
}

const longest = 48

function value(one: Json | undefined): string {
  if (one === mask) return mask
  const text = JSON.stringify(one ?? null)
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text
}

function names(who: readonly Who[], count: number): string {
  const [first] = who
  if (!first) return ''
  if (count > who.length) return `e.g. ${nameOf(first)}`
  return who.map(nameOf).join(who.some(({ because }) => because !== undefined) ? '; ' : ', ')
}

/** Of what is taken away as many are named as are known. */
function allNames(who: readonly Who[], count: number): string {
  const left = count - who.length
  return `${who.map(nameOf).join(', ')}${left > 0 ? `, and ${number(left)} more` : ''}`
}

function nameOf({ name, sourceId, targetId, because }: Who): string {
  const id = sourceId ?? targetId ?? ''
  const called = name === undefined || name === id ? id : `${name} (${id})`
  return because === undefined ? called : `${called}: ${because}`
}

function number(count: number): string {
  return count.toLocaleString('en-US')
}
