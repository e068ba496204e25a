import { copy, equal } from '../../model/equality.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import type { Pointer } from '../../model/pointer.ts'
import { type Place, replacedAt, type Spot, type Step, spotsAt, touches } from './places.ts'
import type { PropertySchema } from './type.ts'

/** Encryption and hashing, as the installation does it (platform §3.3). */
export interface Cryptography {
  encrypt(value: Json, cipher: string | null, alias: string): Promise<JsonObject>
  decrypt(value: Json): Promise<Json>
  isEncrypted(value: Json | undefined): boolean
  hash(value: Json, algorithm: string | null): Promise<JsonObject>
  isHashed(value: Json | undefined): boolean
  matches(plain: string, hashed: Json): Promise<boolean>
}

/** What a type keeps to itself: `encryption`, `secureHash`, `scope: private` (platform §6.1), at any depth. */
export interface Encryption {
  /** False: nothing is encrypted or hashed. */
  readonly encrypts: boolean
  /** Where the values stand that external callers do not see. */
  readonly private: readonly (readonly Step[])[]
  /** Of what is, is in, or holds a secret. */
  isSecret(pointer: Pointer): boolean
  /** With encrypted values in clear; hashes stay what they are. */
  decrypt<T extends JsonObject>(object: T): Promise<T>
  /** As it is to be stored. What has not changed keeps the form in which it is stored already. */
  encrypt(object: JsonObject, stored: JsonObject | undefined): Promise<JsonObject>
  /** Is it the same value, one of them perhaps hashed? */
  same(a: Json | undefined, b: Json | undefined): Promise<boolean>
}

export function encryptionOf(places: readonly Place[], cryptography: Cryptography): Encryption {
  const encrypted = places.filter(({ property }) => property.encryption ?? property.secureHash)
  const hidden = places.filter(({ property }) => property.scope === 'private').map(({ path }) => path)
  const secret = [...encrypted.map(({ path }) => path), ...hidden]
  const { isEncrypted } = cryptography
  return {
    encrypts: encrypted.length > 0,
    private: hidden,
    isSecret: (pointer) => pointer.length > 0 && secret.some((path) => touches(path, pointer)),
    async decrypt(object) {
      let opened = object
      // An outer value first: what is in it is seen only then.
      for (const { path } of encrypted)
        opened = await replacedAt(opened, path, async ({ value }) =>
          isEncrypted(value) ? cryptography.decrypt(value ?? null) : undefined,
        )
      return opened
    },
    async encrypt(object, stored = {}) {
      let result = object
      for (const { path, property } of encrypted.toReversed()) {
        const before = spotsAt(stored, path)
        result = await replacedAt(result, path, async ({ pointer, value }) => {
          if (value === undefined || value === null) return undefined
          return encryptedValue(property, value, likely(before, pointer), cryptography)
        })
      }
      return result
    },
    async same(a, b) {
      if (equal(a ?? null, b ?? null)) return true
      return (await matches(a, b, cryptography)) || matches(b, a, cryptography)
    },
  }
}

/** The stored forms that a value may have had: its own first, then those that its neighbours of a list had. */
function likely(before: readonly Spot[], pointer: Pointer): readonly Json[] {
  const own = before.filter((spot) => equal([...spot.pointer], [...pointer]))
  return [...own, ...before].flatMap(({ value }) => (value === undefined ? [] : [value]))
}

async function matches(
  plain: Json | undefined,
  hashed: Json | undefined,
  { isHashed, isEncrypted, matches }: Cryptography,
): Promise<boolean> {
  if (plain === undefined || plain === null || !isHashed(hashed) || isHashed(plain) || isEncrypted(plain))
    return false
  return matches(hashable(plain), hashed ?? null)
}

function hashable(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

async function encryptedValue(
  property: PropertySchema,
  value: Json,
  stored: readonly Json[],
  cryptography: Cryptography,
): Promise<Json> {
  if (cryptography.isHashed(value) || cryptography.isEncrypted(value)) return copy(value)
  const { encryption, secureHash } = property
  if (isJsonObject(secureHash)) {
    for (const known of stored) if (await matches(value, known, cryptography)) return known
    return cryptography.hash(value, typeof secureHash.algorithm === 'string' ? secureHash.algorithm : null)
  }
  for (const known of stored) {
    if (cryptography.isEncrypted(known) && equal(await cryptography.decrypt(known), value)) return known
  }
  const { key } = asObject(encryption)
  // The cipher that is configured names what others would use; values are encrypted as the installation does it.
  return cryptography.encrypt(value, null, typeof key === 'string' ? key : 'openidm-sym-default')
}
