import { printFilter } from '../../model/filter/print.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { printPointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import { isMasked, masked, maskFilter } from '../../model/secrecy.ts'
import type { Explained, ExplainedAttribute, Origin } from '../../plan/explain.ts'
import type { RequestContext } from '../../router/resources.ts'
import { judged } from '../page/apply/judged.ts'
import { factsOf, wantedOf } from '../page/decide.ts'
import { type Decided, dueOf } from '../page/operation.ts'
import type { Synchronization } from '../page/synchronization.ts'
import { lineOf } from '../plans/line-of.ts'
import type { SyncServices } from '../services.ts'
import { decideSource, decideTarget, openSingle, qualifiersOf, sourceOf } from './look.ts'

/** A source by its id, or a target that no source leads to. */
interface Explainable {
  readonly mapping: string
  readonly sourceId?: string | undefined
  readonly targetId?: string | undefined
  /** In place of the source object that is there: what if it looked like this? */
  readonly source?: JsonObject | undefined
  /** True: `source` has only what is different; null takes an attribute away. */
  readonly merges?: boolean | undefined
  readonly linkQualifier?: string | undefined
}

/**
 * Why an object is in its situation, what would be done, and where each value of the target comes from. Decided as in a dry
 * run; nothing is written.
 */
export async function explain(
  options: SyncServices,
  asked: Explainable,
  context: RequestContext,
): Promise<JsonObject> {
  const { mapping, sourceId, targetId, linkQualifier } = asked
  if ((sourceId === undefined) === (targetId === undefined))
    throw new Problem('BAD_REQUEST', 'explain needs the id of a source object, or that of a target object')
  const sync = await openSingle(options, mapping, context, { analysis: true })
  const source = sourceId === undefined ? undefined : await whatIf(sync, sourceId, asked)
  if (sourceId !== undefined && !source)
    throw new Problem('NOT_FOUND', `There is no object "${sourceId}" in ${sync.rules.mapping.source}`)
  const qualifiers = linkQualifier === undefined ? await qualifiersOf(sync, source) : [linkQualifier]
  const decisions: JsonObject[] = []
  for (const qualifier of qualifiers) {
    if (sourceId !== undefined)
      decisions.push(await explained(sync, await decideSource(sync, sourceId, source, qualifier)))
    else if (targetId !== undefined)
      decisions.push(await explained(sync, await decideTarget(sync, targetId, qualifier)))
  }
  const { source: sourceSet, target: targetSet } = sync.rules.mapping
  return { mapping, source: sourceSet, target: targetSet, decisions }
}

/** The source as it is, as the question has it, or with what the question changes in it. */
async function whatIf(sync: Synchronization, sourceId: string, { source, merges }: Explainable) {
  if (!source || merges !== true) return sourceOf(sync, sourceId, source)
  const present = await sourceOf(sync, sourceId)
  const members = Object.entries({ ...present, ...source }).filter(([, value]) => value !== null)
  return sourceOf(sync, sourceId, Object.fromEntries(members))
}

async function explained(sync: Synchronization, operation: Decided): Promise<JsonObject> {
  // Of what is decided, the target may still say no.
  const [verdict = operation] = await judged(sync, [operation])
  const line = lineOf(sync, verdict)
  const { correlation, candidates, link, qualifies, disqualifiedBy } = operation
  const facts = await ask(sync, operation)
  return {
    linkQualifier: operation.linkQualifier,
    phase: operation.phase,
    sourceId: operation.sourceId ?? null,
    targetId: line.targetId,
    situation: line.situation,
    reason: line.reason,
    qualifies,
    disqualifiedBy: disqualifiedBy === undefined ? undefined : placed(sync, disqualifiedBy),
    link: link ? { _id: link.stored._id, sourceId: link.sourceId, targetId: link.targetId } : null,
    correlation: correlation ? printFilter(maskFilter(correlation, sync.secrets.isSecret)) : null,
    candidates: candidates.map(({ id, linked }) => ({ id, linked })),
    action: line.action,
    policy: line.policy ?? null,
    policies: facts.policies.map(({ policy, held }) => ({ ...configuredPolicy(sync, policy), policy, held })),
    writes: line.writes,
    refusal: line.refusal,
    unforeseen: line.unforeseen,
    ...(line.deleteAfter === undefined ? {} : { deleteAfter: line.deleteAfter }),
    attributes: shownAttributes(sync, operation, facts),
  }
}

interface Found extends Explained {
  /** What the scripts decrypted meanwhile. */
  readonly decrypted?: readonly Json[] | undefined
}

async function ask(sync: Synchronization, operation: Decided): Promise<Found> {
  const { situation, action, failure, unforeseen } = operation
  if (situation === undefined || action === undefined) return { policies: [], attributes: [] }
  const wanted = wantedOf({ ...sync, hooks: unforeseen === undefined ? 'foresee' : 'skip' }, 'shape')
  const asked = {
    facts: factsOf(operation, wanted),
    situation,
    action,
    shape: failure === undefined && dueOf(operation) === undefined,
  }
  const [outcome] = await sync.rules.ask('explain', [asked], sync.scripts)
  if (outcome?.ok) return { ...outcome.value, decrypted: outcome.decrypted }
  // What a script throws is the operation's own failure already.
  const [policies] = await sync.rules.ask('explain', [{ ...asked, shape: false }], sync.scripts)
  return policies?.ok ? policies.value : { policies: [], attributes: [] }
}

/** A rule as the configuration has it. */
function placed({ rules: { mapping } }: Synchronization, rule: string): JsonObject {
  return { rule, definition: mapping.configuration[rule] }
}

function configuredPolicy({ rules: { mapping } }: Synchronization, index: number): JsonObject {
  const { policies } = mapping.configuration
  const policy = Array.isArray(policies) ? policies[index] : undefined
  return isJsonObject(policy) ? { condition: policy.condition ?? null, action: policy.action ?? null } : {}
}

function shownAttributes(
  sync: Synchronization,
  operation: Decided,
  { attributes, decrypted }: Found,
): JsonObject[] {
  const hooked = attributes
    .filter(({ origins }) => origins.some(({ by }) => by !== 'property'))
    .map(({ pointer }) => pointer)
  const isMade = sync.secrets.ofOperation(operation, { decrypted, hooked })
  return attributes.map((attribute) => {
    const held = asHeld(operation, attribute)
    const { pointer, before, after, origins } = held
    const values = [before, after, ...origins.map(({ value }) => value)]
    const secret = values.some((value) => {
      const change = { pointer, before: undefined, after: value }
      return isMade(change) || isMasked(change, sync.targets.isSecret)
    })
    return shown(sync, held, secret)
  })
}

/** The attribute as it was decided: what the target holds in the same way does not change. */
function asHeld({ changes }: Decided, attribute: ExplainedAttribute): ExplainedAttribute {
  if (!attribute.changes) return attribute
  const { after, changes: _, ...rest } = attribute
  const pointer = printPointer(attribute.pointer)
  const change = changes.find((one) => printPointer(one.pointer) === pointer)
  const value = change ? change.after : attribute.before
  return { ...rest, ...(value === undefined ? {} : { after: value }), changes: change !== undefined }
}

/** An attribute as it may be shown: secrets masked, pointers as people write them, scripts by their place. */
function shown(
  { rules: { mapping } }: Synchronization,
  attribute: ExplainedAttribute,
  secret: boolean,
): JsonObject {
  const { pointer, before, after, changes, origins } = attribute
  const value = (one: Json | undefined) => (secret && one !== undefined ? masked(one) : one)
  return {
    attribute: printPointer(pointer).slice(1),
    before: value(before),
    after: value(after),
    changes,
    origins: origins.map((origin) => ({
      ...origin,
      ...('value' in origin ? { value: value(origin.value) } : {}),
      ...definitionOf(mapping.configuration, origin),
    })),
  }
}

/** The configured property or hook behind an origin. */
function definitionOf(configuration: JsonObject, { by, property }: Origin): JsonObject {
  if (by !== 'property') {
    const hook = configuration[by] ?? (by === 'onMapping' ? configuration.defaultMapping : undefined)
    return { script: hook ?? undefined }
  }
  const { properties } = configuration
  const configured = Array.isArray(properties) ? properties[property ?? -1] : undefined
  const { condition, transform, default: standard } = asObject(configured)
  return { condition: condition ?? undefined, script: transform ?? undefined, default: standard }
}
