import { secretOrigins } from '../../mapping/secret-origins.ts'
import type { Change } from '../../model/diff.ts'
import type { Json } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { namesSecret } from '../../model/secrecy.ts'
import { SecretValues } from '../../model/secret-values.ts'
import type { ObjectSet } from '../../router/resources.ts'
import type { Joined } from './operation.ts'
import type { Rules } from './rules.ts'

export type SecretAttributes = ReturnType<typeof secretAttributes>

/** Which attributes of targets must not be shown: by where their values go, and by where they come from. */
export function secretAttributes({
  rules,
  sources,
  targets,
}: {
  readonly rules: Rules
  readonly sources: ObjectSet
  readonly targets: ObjectSet
}) {
  const known = new Map<string, boolean>()
  const isDeclared = (pointer: Pointer) => {
    const [name = '', ...deeper] = pointer
    if (deeper.length > 0) return sources.isSecret?.(pointer) ?? false
    const answer = known.get(name) ?? sources.isSecret?.(pointer) ?? false
    known.set(name, answer)
    return answer
  }
  /** What came up as a secret while an operation was worked: values of its source, and what scripts decrypted. */
  const valuesOf = (
    { source, oldSource }: Pick<Joined, 'source' | 'oldSource'>,
    decrypted?: readonly Json[],
  ): SecretValues => {
    const values = new SecretValues(decrypted)
    // Private, and all the same only what the assignments were, which anybody sees who sees those of now.
    const remembers = ([name]: Pointer) => name === 'lastSync' && !isDeclared(['effectiveAssignments'])
    const isValued = (pointer: Pointer) => isDeclared(pointer) && !remembers(pointer)
    for (const object of [source, oldSource]) values.addFrom(object, isValued)
    return values
  }
  const isSource = (pointer: Pointer) => isDeclared(pointer) || pointer.some(namesSecret)
  const origins = secretOrigins(rules.mapping, rules.words, isSource)
  return {
    /** Of the target's secrets, and of what the mapping makes from the source's. */
    isSecret: (pointer: Pointer): boolean =>
      (targets.isSecret?.(pointer) ?? false) || isWithin(origins.targets, pointer),
    /** True: it must be known which attributes hooks change. */
    hooks: origins.hooks,
    valuesOf,
    /** What of one operation comes from secrets, known by the mapping or by the values that came up while it was shaped. */
    ofOperation(
      operation: Pick<Joined, 'source' | 'oldSource'>,
      { decrypted = [], hooked }: { decrypted: readonly Json[] | undefined; hooked: readonly Pointer[] },
    ): (attribute: Change) => boolean {
      const values = valuesOf(operation, decrypted)
      const pointers = origins.hooks ? [...origins.targets, ...hooked] : origins.targets
      return ({ pointer, before, after }) =>
        isWithin(pointers, pointer) || values.areIn(before) || values.areIn(after)
    },
  }
}

/** Is it one of them, in one, or around one? */
function isWithin(pointers: readonly Pointer[], pointer: Pointer): boolean {
  return pointers.some((one) =>
    one.every((name, level) => level >= pointer.length || name === pointer[level]),
  )
}
