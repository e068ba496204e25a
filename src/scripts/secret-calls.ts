import type { Json } from '../model/json.ts'
import { bad, optionalText } from './call-arguments.ts'
import type { Secrets } from './engine.ts'

/** Encryption and hashing functions of `openidm` (platform §7.2). */
export type SecretCall = (args: readonly Json[], secrets: Secrets) => Promise<Json>

export const secretCalls = {
  async encrypt([value, cipher, alias], secrets) {
    const given = required(value, 'encrypt', 'a value to encrypt')
    return secrets.encrypt(
      given,
      text(cipher, 'the cipher', 'encrypt'),
      text(alias, 'the alias', 'encrypt') ?? defaultAlias,
    )
  },
  async decrypt([value], secrets) {
    if (typeof value === 'string')
      throw bad('decrypt', 'a string is not encrypted: hand over the object with $crypto')
    return secrets.decrypt(required(value, 'decrypt', 'a value to decrypt'))
  },
  async isEncrypted([value], secrets) {
    return secrets.isEncrypted(value)
  },
  async hash([value, algorithm], secrets) {
    return secrets.hash(required(value, 'hash', 'a value to hash'), text(algorithm, 'the algorithm', 'hash'))
  },
  async isHashed([value], secrets) {
    return secrets.isHashed(value)
  },
  async matches([plain, hashed], secrets) {
    if (typeof plain !== 'string') throw bad('matches', 'the first argument must be the plain text')
    return secrets.matches(plain, required(hashed, 'matches', 'a hashed value'))
  },
} as const satisfies Record<string, SecretCall>

export type SecretName = keyof typeof secretCalls

export function isSecretName(name: string): name is SecretName {
  return Object.hasOwn(secretCalls, name)
}

/** The key that OpenIDM's shipped configuration uses. */
const defaultAlias = 'openidm-sym-default'

function required(value: Json | undefined, call: string, what: string): Json {
  if (value === undefined || value === null) throw bad(call, `${what} is needed`)
  return value
}

function text(value: Json | undefined, what: string, call: string): string | null {
  return optionalText(value, what, call) ?? null
}
