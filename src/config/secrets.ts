import {
  createCipheriv,
  createDecipheriv,
  createHash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import * as argon2 from '@node-rs/argon2'
import { isJsonObject, type Json, type JsonObject, setMember } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import type { Secrets } from '../scripts/engine.ts'
import { type KeyOptions, type MasterKey, masterKey } from './master-key.ts'

export interface RotatingSecrets extends Secrets {
  /** Puts a new key before those that there are; what they have encrypted still opens. */
  rotate(): Promise<void>
  /** Drops the keys before the newest one: what they have encrypted is lost. */
  forgetOld(): Promise<void>
  /** With everything in it encrypted under the newest key; the same value if it is so already. */
  resealed<T extends Json>(value: T): Promise<T>
}

/** The name of the key that configuration is encrypted under (platform §3.2). */
export function configurationKey(property: (name: string) => Json | undefined): string {
  return String(property('openidm.config.crypto.alias') ?? 'openidm-sym-default')
}

/**
 * Encryption and hashing of values in configuration and objects (platform §3.3). New values are
 * encrypted with AES-256-GCM and hashed with Argon2id; the salted digests of OpenIDM are still verified. Each alias
 * has a key of its own, derived from the one key that the installation keeps.
 *
 * Nothing here is logged, and no message contains a value.
 */
export function fileSecrets(options: KeyOptions): RotatingSecrets {
  const master = masterKey(options)
  return {
    resealed: (value) => resealed(master, value),
    rotate: () => master.rotate(),
    forgetOld: () => master.forgetOld(),
    encrypt: (value, requestedCipher, alias) => encrypted(master, value, requestedCipher, alias),
    decrypt: (value) => decrypted(master, value),
    isEncrypted: (value) => isCrypto(value, 'x-simple-encryption'),
    hash: async (value, algorithm) =>
      crypto(
        'salted-hash',
        await hashed(typeof value === 'string' ? value : JSON.stringify(value), algorithm),
      ),
    isHashed: (value) => isCrypto(value, 'salted-hash'),
    matches,
  }
}

function keyOf(key: Buffer, alias: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `syncline secrets ${alias}`, 32))
}

async function opened(master: MasterKey, sealed: Sealed): Promise<Json> {
  for (const keys of [master.decrypt, master.reread]) {
    for (const key of await keys()) {
      const value = open(sealed, keyOf(key, sealed.key))
      if (value !== undefined) return value
    }
  }
  // What went wrong inside would only help an attacker who changes values.
  throw new Problem(
    'CONFIGURATION',
    `a value encrypted under "${sealed.key}" does not open: it has been altered, or the key is another one`,
  )
}

async function encrypted(master: MasterKey, value: Json, requestedCipher: string | null, alias: string) {
  if (requestedCipher !== null && !/^AES(?:\/|$)/i.test(requestedCipher)) {
    throw new Problem(
      'INVALID_VALUE',
      `cipher "${requestedCipher}" is not supported: values are encrypted with ${cipher}`,
    )
  }
  return crypto('x-simple-encryption', seal(value, alias, keyOf(await master.encrypt(), alias)))
}

async function decrypted(master: MasterKey, value: Json): Promise<Json> {
  if (Array.isArray(value)) return Promise.all(value.map((element) => decrypted(master, element)))
  if (!isJsonObject(value)) return value
  const sealed = sealedValue(value)
  if (sealed) return opened(master, sealed)
  const result: JsonObject = {}
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) setMember(result, key, await decrypted(master, member))
  }
  return result
}

/** A value is replaced by one of its own kind only, so it keeps the type T. */
async function resealed<T extends Json>(master: MasterKey, value: T): Promise<T> {
  if (Array.isArray(value)) {
    const elements = await Promise.all(value.map((element) => resealed(master, element)))
    return elements.every((element, place) => element === value[place]) ? value : (elements as Json as T)
  }
  if (!isJsonObject(value)) return value
  const sealed = sealedValue(value)
  if (sealed) {
    const newest = await master.encrypt()
    if (open(sealed, keyOf(newest, sealed.key)) !== undefined) return value
    const again = seal(await opened(master, sealed), sealed.key, keyOf(newest, sealed.key))
    return crypto('x-simple-encryption', again) as Json as T
  }
  let result: JsonObject = value
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue
    const again = await resealed(master, member)
    if (again === member) continue
    if (result === value) result = { ...value }
    setMember(result, key, again)
  }
  return result as T
}

async function matches(plain: string, value: Json): Promise<boolean> {
  const hash = isCrypto(value, 'salted-hash') && isJsonObject(value) ? value.$crypto : undefined
  const content = isJsonObject(hash) ? hash.value : undefined
  const { algorithm, data } = isJsonObject(content) ? content : {}
  if (typeof algorithm !== 'string' || typeof data !== 'string')
    throw new Problem('INVALID_VALUE', 'the value to compare with is not hashed')
  return verify(plain, algorithm, data)
}

function crypto(type: string, value: JsonObject): JsonObject {
  return { $crypto: { type, value } }
}

function isCrypto(value: Json | undefined, type: string): boolean {
  return isJsonObject(value) && isJsonObject(value.$crypto) && value.$crypto.type === type
}

// Encryption

const cipher = 'AES/GCM/NoPadding'

interface Sealed {
  readonly key: string
  readonly iv: string
  readonly data: string
  readonly tag: string
}

function seal(value: Json, alias: string, key: Buffer): JsonObject {
  const iv = randomBytes(12)
  const sealing = createCipheriv('aes-256-gcm', key, iv)
  const data = Buffer.concat([sealing.update(JSON.stringify(value), 'utf8'), sealing.final()])
  const tag = sealing.getAuthTag()
  return {
    cipher,
    key: alias,
    iv: iv.toString('base64'),
    data: data.toString('base64'),
    tag: tag.toString('base64'),
  }
}

/** undefined if it was sealed with another key, or has been altered. */
function open({ iv, data, tag }: Sealed, key: Buffer): Json | undefined {
  try {
    const opening = createDecipheriv('aes-256-gcm', key, Buffer.from(iv, 'base64'), { authTagLength: 16 })
    opening.setAuthTag(Buffer.from(tag, 'base64'))
    return JSON.parse(opening.update(data, 'base64', 'utf8') + opening.final('utf8'))
  } catch {
    return undefined
  }
}

/** The encrypted value in an object that is one; anything encrypted otherwise is named and refused. */
function sealedValue(object: JsonObject): Sealed | undefined {
  if (!isCrypto(object, 'x-simple-encryption')) return undefined
  const content = (object.$crypto as JsonObject).value
  const { cipher: found, key, iv, data, tag } = isJsonObject(content) ? content : {}
  if (found !== cipher) {
    throw new Problem(
      'CONFIGURATION',
      `a value is encrypted with ${String(found)} under a key of another system${typeof key === 'string' ? ` ("${key}")` : ''}: replace it by the plain value or encrypt it anew`,
    )
  }
  if (
    typeof key !== 'string' ||
    typeof iv !== 'string' ||
    typeof data !== 'string' ||
    typeof tag !== 'string'
  ) {
    throw new Problem('CONFIGURATION', 'an encrypted value lacks one of key, iv, data and tag')
  }
  return { key, iv, data, tag }
}

// Hashes

const digests: Readonly<Record<string, string>> = {
  MD5: 'md5',
  'SHA-1': 'sha1',
  'SHA-256': 'sha256',
  'SHA-384': 'sha384',
  'SHA-512': 'sha512',
}
const saltLength = 16

async function hashed(text: string, algorithm: string | null): Promise<JsonObject> {
  if (algorithm === null || algorithm.toUpperCase() === 'ARGON2ID') {
    return { algorithm: 'ARGON2ID', data: await argon2.hash(text) }
  }
  const salt = randomBytes(saltLength)
  const data = Buffer.concat([saltedDigest(text, salt, algorithm), salt])
  return { algorithm: algorithm.toUpperCase(), data: data.toString('base64') }
}

async function verify(plain: string, algorithm: string, data: string): Promise<boolean> {
  if (algorithm.toUpperCase() === 'ARGON2ID') return argon2.verify(data, plain).catch(() => false)
  const bytes = Buffer.from(data, 'base64')
  const salt = bytes.subarray(bytes.length - saltLength)
  const expected = bytes.subarray(0, bytes.length - saltLength)
  const actual = saltedDigest(plain, salt, algorithm)
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

function saltedDigest(text: string, salt: Buffer, algorithm: string): Buffer {
  const digest = digests[algorithm.toUpperCase()]
  if (digest) return createHash(digest).update(text, 'utf8').update(salt).digest()
  const known = [...Object.keys(digests), 'ARGON2ID'].join(', ')
  throw new Problem('INVALID_VALUE', `hash algorithm "${algorithm}" is not supported: use one of ${known}`)
}
