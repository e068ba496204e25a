/** Mappings that delete in the same target: each takes the other's objects for its own. */
import { type DocumentFinding, inDocument } from '../model/finding.ts'
import { asObject, type JsonObject } from '../model/json.ts'
import type { Entry } from './entry.ts'
import { doubt } from './names.ts'

export function deletionDoubts(mappings: readonly Entry[]): readonly DocumentFinding[] {
  return mappings.flatMap((mapping, index) => {
    const others = mappings.filter((other) => other !== mapping && sharesTarget(mapping, other))
    const [unassigned] = deletingPolicies(mapping.content, ['UNASSIGNED'])
    const [first] = others
    if (unassigned !== undefined && first && !isRestricted(mapping)) {
      const message = `this deletes every object of ${target(mapping)} that the mapping ${mapping.name} did not link, those of the mapping ${first.name} as well; say with validTarget or targetQuery which targets are its own, or let both use one link set (links)`
      return finding(mapping, unassigned, message)
    }
    const [own] = deletingPolicies(mapping.content, deletes)
    const earlier = others.find(
      (one) => mappings.indexOf(one) < index && deletingPolicies(one.content, deletes).length > 0,
    )
    if (own === undefined || !earlier || isRestricted(mapping) || isRestricted(earlier)) return []
    const message = `the mapping ${earlier.name} deletes in ${target(mapping)}, too: one of them may delete an object that the other one needs; let only one delete, or say with validTarget or targetQuery which targets are its own`
    return finding(mapping, own, message)
  })
}

const deletes = ['UNASSIGNED', 'SOURCE_MISSING', 'UNQUALIFIED', 'MISSING', 'CONFIRMED', 'FOUND']

function finding({ document, pointer }: Entry, policy: number, message: string): readonly DocumentFinding[] {
  return inDocument(document, [
    doubt([...pointer, 'policies', policy, 'action'], { message, found: 'DELETE' }),
  ])
}

function target({ content }: Entry): string {
  return String(content.target)
}

/** Mappings with one link set know of each other's links. */
function sharesTarget(one: Entry, other: Entry): boolean {
  const links = ({ name, content }: Entry) => content.links ?? name
  return one.content.target === other.content.target && links(one) !== links(other)
}

function isRestricted({ content }: Entry): boolean {
  return content.validTarget !== undefined || content.targetQuery !== undefined
}

/** The indexes of policies that say DELETE themselves. */
function deletingPolicies({ policies }: JsonObject, situations: readonly string[]): readonly number[] {
  if (!Array.isArray(policies)) return []
  return policies.flatMap((policy, index) => {
    const { situation, action } = asObject(policy)
    const isOne =
      situations.includes(String(situation).toUpperCase()) && String(action).toUpperCase() === 'DELETE'
    return isOne ? [index] : []
  })
}
