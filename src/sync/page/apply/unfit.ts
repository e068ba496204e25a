import type { Mapping } from '../../../mapping/mapping.ts'
import type { Judgement } from '../../../router/resources.ts'
import { type Applied, goesOn } from '../operation.ts'
import { askThose } from '../places.ts'
import type { Synchronization } from '../synchronization.ts'
import { nameHolders } from './name-holders.ts'
import { notWritten, writeOf } from './write-of.ts'

/** Fails what the target would refuse for what it is: policies, values and attributes that do not fit. Nothing is written. */
export async function refuseUnfit(
  sync: Synchronization,
  page: readonly Applied[],
): Promise<readonly Applied[]> {
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
