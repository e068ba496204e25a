import type { Change } from './diff.ts'
import type { Filter } from './filter/filter.ts'
import { isJsonObject, type Json, type JsonObject } from './json.ts'
import type { Pointer } from './pointer.ts'

/**
 * What a secret is, decided here and nowhere else, and what stands for one. A value is secret
 *
 *   by its name         an attribute or a setting is called so (`namesSecret`)
 *   by its destination  a managed type or a connector declares it (`declaresSecret`, `declaresPassword`)
 *   by its form         it is encrypted or hashed (`isSealed`)
 *   by its origin       it was made from one (mapping/secret-origins.ts and secret-values.ts: `Change.secret`)
 */

/** In place of a secret. Of plain characters: a client may send it back, and then it means the secret that is there. */
export const mask = '********'

/** Whether an attribute of an object set is secret. */
export type IsSecret = (pointer: Pointer) => boolean

const none: IsSecret = () => false

const words = /passw|passphrase|passcode|pwd|secret(?!ar)|credential|token|(?:private|api)[-_ ]?key/i
/** A word of its own: spinning and shipping are none. */
const pin = /(?:^|[^A-Za-z])(?:[Pp]in(?![a-z])|PIN(?![A-Za-z]))|[a-z]Pin(?![a-z])/

/** Names come again and again, by the hundred thousand; those that come from outside may be without number. */
const judged = new Map<string, boolean>()
const remembered = 5_000

export function namesSecret(name: string): boolean {
  let judgement = judged.get(name)
  if (judgement === undefined) {
    judgement = words.test(name) || pin.test(name)
    if (judged.size < remembered) judged.set(name, judgement)
  }
  return judgement
}

/** Settings that speak of secrets (`passwordAttribute`, `tokenIntrospectUrl`, `headerPassword`) have names of other things. */
const lastWord = /(?:passw(?:or)?d|passphrase|passcode|pwd|secret|credentials|token|key|pin)\d*$/i

export function namesSecretSetting(name: string): boolean {
  return namesSecret(name) && lastWord.test(name) && !/^header/i.test(name)
}

/** Headers of requests that are never shown. */
export function carriesCredentials(header: string): boolean {
  return /authorization|cookie/i.test(header) || namesSecret(header)
}

/** A property of a managed type that the type keeps to itself (platform §6.1). */
export function declaresSecret({
  scope,
  encryption,
  secureHash,
}: Readonly<Record<string, unknown>>): boolean {
  return scope === 'private' || Boolean(encryption ?? secureHash)
}

const guarded: ReadonlySet<unknown> = new Set(['JAVA_TYPE_GUARDEDSTRING', 'JAVA_TYPE_GUARDEDBYTEARRAY'])

/** A property of a system that its connector takes as a password (platform §4.2). */
export function declaresPassword({ nativeName, nativeType, type, items, key }: JsonObject): boolean {
  const element = type === 'array' && isJsonObject(items) ? items.nativeType : nativeType
  // `key` asks for encryption on reading; a value that cannot be encrypted stays where it is.
  return (
    /^__(CURRENT_)?PASSWORD__$/.test(String(nativeName ?? '')) || guarded.has(element) || key !== undefined
  )
}

/** The attributes that the settings of a connector name as its password, such as `headerPassword` of a CSV file. */
export function passwordAttributes(settings: Json | undefined): readonly string[] {
  return Object.entries(isJsonObject(settings) ? settings : {}).flatMap(([name, value]) =>
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

/** Changes as they may be shown and kept: that an attribute changes, but of a secret not from what to what. */
export function maskChanges(changes: readonly Change[], isSecret: IsSecret = none): readonly Change[] {
  if (changes.length === 0) return changes
  return changes.map((change) =>
    isMasked(change, isSecret)
      ? { pointer: change.pointer, before: masked(change.before), after: masked(change.after) }
      : change,
  )
}

/** That there is no value is no secret. */
export function masked<Value extends Json | undefined>(value: Value): Value | typeof mask | null | undefined {
  return value === undefined || value === null ? value : mask
}

/** A filter as it may be shown: not with what a secret is compared. */
export function maskFilter(filter: Filter, isSecret: IsSecret): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { ...filter, filters: filter.filters.map((one) => maskFilter(one, isSecret)) }
    case 'not':
      return { ...filter, filter: maskFilter(filter.filter, isSecret) }
    case 'compare':
      return isSecret(filter.pointer) || filter.pointer.some(namesSecret)
        ? { ...filter, value: mask }
        : filter
    default:
      return filter
  }
}

/** Configuration as the audit keeps it. A declaration called `password` is no password: only texts and numbers are. */
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
 * Content without what must not be stored or logged in any case (platform §9, [D]): credentials of requests, what
 * is called a secret, and what is sealed. Untouched parts are shared with the given content, which itself stays as it is. What is
 * masked already stays: that it changed is worth knowing. `declares`: the content is configuration.
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

/** What is said about a secret, such as a boolean, is none. */
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
