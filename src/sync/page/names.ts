import type { JsonObject } from '../../model/json.ts'
import { personName } from '../../plan/person-name.ts'
import { sourceSet, targetSet } from './object-sets.ts'
import type { Decided } from './operation.ts'
import { secretAttributes } from './secret-attributes.ts'
import type { Synchronization } from './synchronization.ts'

/** What is known of the mapping by which people are called. */
export type Naming = Pick<Synchronization, 'rules' | 'sources' | 'targets' | 'secrets'>

/** Of a mapping that is not being synchronized yet. */
export function namingOf({ rules, resources }: Pick<Synchronization, 'rules' | 'resources'>): Naming {
  const sources = sourceSet(resources, rules.mapping)
  const targets = targetSet(resources, rules.mapping)
  return { rules, sources, targets, secrets: secretAttributes({ rules, sources, targets }) }
}

/** What people call the first of these objects that has a name: by `displayAttributes`, else by common ones, never by a secret. */
export function nameOf(
  { rules, sources, secrets }: Naming,
  objects: readonly (JsonObject | undefined)[],
  displayAttributes: readonly string[] = rules.mapping.displayAttributes,
): string | undefined {
  const isSecret = (name: string) => sources.isSecret?.([name]) === true || secrets.isSecret([name])
  return personName(objects, displayAttributes, isSecret)
}

/** The same of objects of one end only, of which `displayAttributes` may say nothing. */
export function calledBy(naming: Naming, objects: readonly (JsonObject | undefined)[]): string | undefined {
  return nameOf(naming, objects) ?? nameOf(naming, objects, [])
}

/** Of both ends, as far as they are known. */
export function namesOf(
  naming: Naming,
  { source, oldSource, target }: Pick<Decided, 'source' | 'oldSource' | 'target'>,
): JsonObject {
  const [sourceName, targetName] = [calledBy(naming, [source, oldSource]), calledBy(naming, [target])]
  return {
    ...(sourceName !== undefined && { sourceName }),
    ...(targetName !== undefined && { targetName }),
  }
}
