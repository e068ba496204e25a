import type { Mapping } from '../../../mapping/mapping.ts'
import type { JsonObject } from '../../../model/json.ts'
import type { Judgement, ObjectSet } from '../../../router/resources.ts'
import type { Foreseen } from '../foreseen.ts'
import { type Applied, type Decided, goesOn } from '../operation.ts'
import { askThose } from '../places.ts'
import type { Synchronization } from '../synchronization.ts'
import { nameHolders } from './name-holders.ts'
import { refuseTakenIds } from './taken-ids.ts'
import { notWritten, writeOf } from './write-targets.ts'

/**
 * What a run would come to with these operations, as far as the target can say before it is written: those that it would refuse
 * fail, in its words. Nothing is written.
 */
export async function judged(
  sync: Synchronization,
  page: readonly (Decided | Applied)[],
): Promise<readonly Applied[]> {
  const free = await refuseTakenIds(sync, page.map(unapplied))
  const fit = await refuseUnfit(sync, free)
  // Who is refused for another reason keeps an id that others may want.
  const isNews = fit.some(({ failure }, place) => failure && !free[place]?.failure)
  return isNews ? refuseTakenIds(sync, fit) : fit
}

/** Each field by its name: spreading a second object is several times as slow. */
export function unapplied(operation: Decided | Applied): Applied {
  if (operation.stage === 'applied') return operation
  return { ...operation, stage: 'applied', effect: 'none', linkCreated: false, oldTarget: undefined }
}

async function refuseUnfit(sync: Synchronization, page: readonly Applied[]): Promise<readonly Applied[]> {
  const { targets, foreseen, repository, rules, scripts } = sync
  const { judge } = targets
  if (!judge || !isWhole(sync, rules.mapping)) return page
  const judgements = await askThose(
    page,
    (operation) => (isKnown(operation) ? writeOf(operation, targets) : undefined),
    (writes) => judge(writes, foreseen.values, scripts.request),
  )
  const refused = page.map((operation, place) => withJudgement(operation, judgements[place]))
  return nameHolders({ ...sync, store: repository, apart: true }, refused)
}

/** Without the hooks that shape a target, a value may be missing that they give. */
function isWhole({ hooks }: Synchronization, { hooks: { onCreate, onUpdate } }: Mapping): boolean {
  return hooks !== 'skip' || (onCreate ?? onUpdate) === undefined
}

function isKnown(operation: Applied): boolean {
  return goesOn(operation) && operation.unforeseen === undefined
}

function withJudgement(operation: Applied, judgement: Judgement): Applied {
  switch (judgement?.kind) {
    case 'refused':
      return { ...notWritten(operation, judgement.problem, undefined), inDoubt: false }
    case 'unforeseen':
      return { ...operation, unforeseen: judgement.why }
    default:
      return operation
  }
}

/** What a dry run would have written counts for what comes after it. */
export function rememberValues(
  { unique = [], judge }: ObjectSet,
  { values }: Foreseen,
  id: string,
  content: JsonObject | undefined,
): void {
  if (judge)
    values.set(id, content && Object.fromEntries(unique.map((name) => [name, content[name] ?? null])))
}
