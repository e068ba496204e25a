import type { Change } from './diff.ts'
import type { Filter } from './filter/filter.ts'
import { mapLeaves } from './filter/walk.ts'
import { asObject, isJsonObject, type Json, type JsonObject } from './json.ts'
import type { Pointer } from './pointer.ts'

/**
 * Decides what is secret, and how secrets are masked. Nothing else decides it. A value is secret
 *
 *   by its name         the name of the attribute or setting means a secret (`namesSecret`)
 *   by its destination  a managed type or a connector declares it (`declaresSecret`, `declaresPassword`)
 *   by its form         it is encrypted or hashed (`isSealed`)
 *   by its origin       it was made from one (mapping/secret-origins.ts and secret-values.ts: `Change.secret`)
 */

/** Replaces a secret. Plain characters: a client may send it back, and then it means the stored secret. */
export const mask = '********'

/** Whether an attribute of an object set is secret. */
export type IsSecret = (pointer: Pointer) => boolean

const none: IsSecret = () => false

const words =
  /passw|pass[-_ ]?(?:word|phrase|code)|pwd|secret(?!ar)|credential|token|(?:private|api|shared|signing|encryption)[-_ ]?key/i
/** Only as a separate word: spinning and shipping are not secrets. */
const pin = /(?:^|[^A-Za-z])(?:[Pp]in(?![a-z])|PIN(?![A-Za-z]))|[a-z]P(?:in(?![a-z])|IN(?![A-Za-z]))/

/** The same names are tested very often. The limit: names that come from outside are unbounded. */
const cache = new Map<string, boolean>()
const cacheLimit = 5_000

export function namesSecret(name: string): boolean {
  let result = cache.get(name)
  if (result === undefined) {
    result = words.test(name) || pin.test(name)
    if (cache.size < cacheLimit) cache.set(name, result)
  }
  return result
}

/** Some settings are about secrets but contain none: `passwordAttribute`, `tokenIntrospectUrl`, `headerPassword`, `resetSyncToken`. */
const lastWord =
  /(?:passwd|pass[-_ ]?(?:word|phrase|code)|pwd|secret|credentials|token|key|pin(?:[-_ ]?code)?)\d*$/i

export function namesSecretSetting(name: string): boolean {
  return namesSecret(name) && lastWord.test(name) && !/^header|sync[-_ ]?token$/i.test(name)
}

/** What stands under names that mean secrets, at any depth. */
export function namedSecretsIn(value: Json | undefined): readonly Json[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap(namedSecretsIn)
  return Object.entries(value).flatMap(([name, below]) =>
    namesSecret(name) && below !== undefined ? [below] : namedSecretsIn(below),
  )
}

/** Headers of requests that are never shown. Their names come in lower case: `X-DoorPin` is `x-doorpin`. */
export function carriesCredentials(header: string): boolean {
  return /authorization|cookie|pin(?:[-_]?code)?$/i.test(header) || namesSecret(header)
}

/** A property that its managed type declares as private, encrypted or hashed (platform §6.1). */
export function declaresSecret({
  scope,
  encryption,
  secureHash,
}: Readonly<Record<string, unknown>>): boolean {
  return scope === 'private' || Boolean(encryption ?? secureHash)
}

const guarded: ReadonlySet<unknown> = new Set(['JAVA_TYPE_GUARDEDSTRING', 'JAVA_TYPE_GUARDEDBYTEARRAY'])

/** A property of a system that its connector treats as a password (platform §4.2). */
export function declaresPassword({ nativeName, nativeType, type, items, key }: JsonObject): boolean {
  const element = type === 'array' && isJsonObject(items) ? items.nativeType : nativeType
  // `key` asks for encryption on reading; a value that cannot be encrypted stays where it is.
  return (
    /^__(CURRENT_)?PASSWORD__$/.test(String(nativeName ?? '')) || guarded.has(element) || key !== undefined
  )
}

/** The password attributes that the settings of a connector name, such as `headerPassword` of a CSV file. */
export function passwordAttributes(settings: Json | undefined): readonly string[] {
  return Object.entries(asObject(settings)).flatMap(([name, value]) =>
    /^(?:(?:header|column|attribute)password|password(?:header|column|attribute))$/i.test(name) &&
    typeof value === 'string'
      ? [value]
      : [],
  )
}

/** Encrypted, or hashed. */
export function isSealed(value: Json | undefined): boolean {
  return isJsonObject(value) && Object.hasOwn(value, '$crypto')
}

/** The same, of anything in it. */
export function holdsSealed(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(holdsSealed)
  return isJsonObject(value) && (isSealed(value) || Object.values(value).some(holdsSealed))
}

/** True if the values of a change must not be shown. */
export function isMasked(
  { pointer, before, after, secret = false }: Change,
  isSecret: IsSecret = none,
): boolean {
  return (
    secret ||
    pointer.some((name) => name === '$crypto' || namesSecret(name)) ||
    isSecret(pointer) ||
    isSealed(before) ||
    isSealed(after)
  )
}

/** Changes that may be shown and stored: of a secret they tell only that it changes. */
export function maskChanges(changes: readonly Change[], isSecret: IsSecret = none): readonly Change[] {
  if (changes.length === 0) return changes
  return changes.map((change) =>
    isMasked(change, isSecret)
      ? { pointer: change.pointer, before: masked(change.before), after: masked(change.after) }
      : change,
  )
}

/** Null and absent stay: that there is no value is not a secret. */
export function masked<Value extends Json | undefined>(value: Value): Value | typeof mask | null | undefined {
  return value === undefined || value === null ? value : mask
}

/** A filter that may be shown: values that are compared with a secret are masked. */
export function maskFilter(filter: Filter, isSecret: IsSecret): Filter {
  return mapLeaves(filter, (leaf) =>
    leaf.kind === 'compare' && (isSecret(leaf.pointer) || leaf.pointer.some(namesSecret))
      ? { ...leaf, value: mask }
      : leaf,
  )
}

/** Configuration as the audit records it. An object called `password` is a declaration: only texts and numbers are masked. */
export function maskSettings(value: Json, isSecret: (name: string) => boolean, name = ''): Json {
  if (Array.isArray(value)) return value.map((one) => maskSettings(one, isSecret, name))
  if (isSealed(value)) return mask
  if (isJsonObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [
        key,
        member === undefined ? undefined : maskSettings(member, isSecret, key),
      ]),
    )
  const hides = typeof value === 'string' || typeof value === 'number'
  return hides && (isSecret(name) || namesSecretSetting(name)) ? mask : value
}

/**
 * Content without what must never be stored or logged (platform §9, [D]): credentials of requests, values with a
 * secret's name, and encrypted or hashed values. `content` is not changed; the result shares its unchanged parts.
 * Masked values stay: they tell that a secret changed. `declares`: the content is configuration.
 */
export function redact(content: JsonObject, { declares = false } = {}): JsonObject {
  let redacted: JsonObject | undefined
  for (const name in content) {
    const value = content[name]
    if (isRedacted(name, value, declares)) {
      redacted ??= { ...content }
      delete redacted[name]
      continue
    }
    if (typeof value !== 'object' || value === null) continue
    const clean = redactValue(value, declares)
    if (clean === value) continue
    redacted ??= { ...content }
    redacted[name] = clean
  }
  return redacted ?? content
}

function redactValue(value: Json, declares: boolean): Json {
  if (!Array.isArray(value)) return isJsonObject(value) ? redact(value, { declares }) : value
  const clean = value.filter((element) => !isSealed(element)).map((element) => redactValue(element, declares))
  return clean.length === value.length && clean.every((element, index) => element === value[index])
    ? value
    : clean
}

const requestCredentials = /^\$crypto$|^(?:proxy-)?authorization$|^(?:set-)?cookies?$/i

/** A fact about a secret, such as a boolean, is not a secret. */
function isRedacted(name: string, value: Json | undefined, declares: boolean): boolean {
  if (typeof value === 'boolean' || value === null || value === undefined) return false
  if (isSealed(value)) return true
  if (requestCredentials.test(name)) return true
  if (declares) return !isJsonObject(value) && namesSecretSetting(name) && !isMaskedAlready(value)
  return namesSecret(name) && !isMaskedAlready(value)
}

function isMaskedAlready(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return value === mask
  const members = Object.values(value)
  return members.length > 0 && members.every((one) => one === mask)
}
