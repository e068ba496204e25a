import type { Pointer } from '../model/pointer.ts'
import type { Mapping } from './mapping.ts'

/** The words of a mapping's scripts, by the script's name. */
export type ScriptWords = Readonly<Record<string, readonly string[]>>

export function wordsOf(source: string): readonly string[] {
  return [...new Set(source.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [])]
}

/** What of a target is made from secrets of its source. */
export interface SecretOrigins {
  /** Properties that read a secret, or whose script may. */
  readonly targets: readonly Pointer[]
  /** True if a hook may read a secret: everything that hooks change may be made from it. */
  readonly hooks: boolean
}

/**
 * Careful on purpose: a script that decrypts anything, or has a secret's name as a word, is taken to make its value of it.
 * What scripts get at in other ways is known again by its value.
 */
export function secretOrigins(
  { properties, hooks }: Pick<Mapping, 'properties' | 'hooks'>,
  words: ScriptWords,
  isSecret: (source: Pointer) => boolean,
): SecretOrigins {
  const mayRead = (script: string | undefined) =>
    (script === undefined ? [] : (words[script] ?? [])).some(
      (word) => word === 'decrypt' || word === '$crypto' || isSecret([word]),
    )
  const { onLink, onMapping, onCreate, onUpdate } = hooks
  return {
    targets: properties
      .filter(({ source, transform }) => (source && isSecret(source)) || mayRead(transform))
      .map(({ target }) => target),
    hooks: [onLink, onMapping, onCreate, onUpdate].some(mayRead),
  }
}
