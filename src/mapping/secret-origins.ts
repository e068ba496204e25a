import type { Pointer } from '../model/pointer.ts'
import type { Mapping } from './mapping.ts'

/** The words in the code of a mapping's scripts, by the script's name. */
export type ScriptWords = Readonly<Record<string, readonly string[]>>

export function wordsOf(source: string): readonly string[] {
  return [...new Set(source.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu) ?? [])]
}

/** Which parts of a target are made from secrets of its source. */
export interface SecretOrigins {
  /** Properties that read a secret, or whose script may read one. */
  readonly targets: readonly Pointer[]
  /** True if a hook may read a secret: then every change by a hook may come from it. */
  readonly hooks: boolean
}

/**
 * Cautious on purpose: if a script decrypts anything, or contains a secret's name as a word, its value is treated as
 * made from the secret. Secrets that scripts reach in other ways are recognized by their values (secret-values.ts).
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
