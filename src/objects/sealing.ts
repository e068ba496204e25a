import { copy, equal } from '../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { Pointer } from '../model/pointer.ts'
import { type ManagedType, type PropertySchema, propertiesOf } from './type.ts'

/** Encryption and hashing, as the installation does it (platform specification §3.3). */
export interface Cryptography {
  encrypt(value: Json, cipher: string | null, alias: string): Promise<JsonObject>
  decrypt(value: Json): Promise<Json>
  isEncrypted(value: Json | undefined): boolean
  hash(value: Json, algorithm: string | null): Promise<JsonObject>
  isHashed(value: Json | undefined): boolean
  matches(plain: string, hashed: Json): Promise<boolean>
}

/** What a type keeps to itself: `encryption`, `secureHash`, `scope: private` (platform specification §6.1). */
export interface Sealing {
  /** False: nothing is encrypted or hashed. */
  readonly seals: boolean
  /** Properties that external callers do not see. */
  readonly private: ReadonlySet<string>
  isSecret(pointer: Pointer): boolean
  /** With encrypted values in clear; hashes stay what they are. */
  open(object: JsonObject): Promise<JsonObject>
  /** As it is to be stored. What has not changed keeps the form in which it is stored already. */
  seal(object: JsonObject, stored: JsonObject | undefined): Promise<JsonObject>
}

export function sealing(type: ManagedType, cryptography: Cryptography): Sealing {
  const properties = propertiesOf(type.schema)
  const sealed = properties.filter(([, property]) => property.encryption ?? property.secureHash)
  const hidden = properties.filter(([, { scope }]) => scope === 'private').map(([name]) => name)
  const secret = new Set([...sealed.map(([name]) => name), ...hidden])
  return {
    seals: sealed.length > 0,
    private: new Set(hidden),
    isSecret: ([name]) => name !== undefined && secret.has(name),
    async open(object) {
      const opened = { ...object }
      for (const [name] of sealed) {
        const value = object[name]
        if (cryptography.isEncrypted(value)) opened[name] = await cryptography.decrypt(value as Json)
      }
      return opened
    },
    async seal(object, stored) {
      const result = { ...object }
      for (const [name, property] of sealed) {
        const value = object[name]
        if (value === undefined || value === null) continue
        result[name] = await sealedValue(property, value, stored?.[name], cryptography)
      }
      return result
    },
  }
}

async function sealedValue(
  property: PropertySchema,
  value: Json,
  stored: Json | undefined,
  cryptography: Cryptography,
): Promise<Json> {
  if (cryptography.isHashed(value) || cryptography.isEncrypted(value)) return copy(value)
  const { encryption, secureHash } = property
  if (isJsonObject(secureHash)) {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (cryptography.isHashed(stored) && (await cryptography.matches(text, stored as Json)))
      return stored as Json
    return cryptography.hash(value, typeof secureHash.algorithm === 'string' ? secureHash.algorithm : null)
  }
  if (cryptography.isEncrypted(stored) && equal(await cryptography.decrypt(stored as Json), value))
    return stored as Json
  const { key } = isJsonObject(encryption) ? encryption : {}
  // The cipher that is configured names what others would use; values are encrypted as the installation does it.
  return cryptography.encrypt(value, null, typeof key === 'string' ? key : 'openidm-sym-default')
}
