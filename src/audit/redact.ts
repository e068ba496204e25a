import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { mask } from '../model/masking.ts'

/**
 * What an audit entry must never contain is taken out before it is stored (platform §9, [D]):
 * authorization headers, cookies, passwords, and values under `$crypto`. Untouched parts are shared with the given
 * content, which itself stays as it is. What is masked already is no secret any more: that it changed is kept.
 * `declares`: the content is configuration, where an object called `password` says what passwords are like.
 */
export function redact(content: JsonObject, { declares = false } = {}): JsonObject {
  return redactObject(content, declares)
}

function redactObject(object: JsonObject, declares: boolean): JsonObject {
  let redacted: JsonObject | undefined
  for (const name in object) {
    const value = object[name]
    if (isSecret(name, value) && !(declares && isJsonObject(value) && !isEncrypted(value))) {
      redacted ??= { ...object }
      delete redacted[name]
      continue
    }
    if (typeof value !== 'object' || value === null) continue
    const clean = redactValue(value, declares)
    if (clean === value) continue
    redacted ??= { ...object }
    redacted[name] = clean
  }
  return redacted ?? object
}

function redactValue(value: Json | undefined, declares: boolean): Json | undefined {
  if (Array.isArray(value)) {
    const clean = value
      .filter((element) => !isEncrypted(element))
      .map((element) => redactValue(element, declares) as Json)
    return clean.length === value.length && clean.every((element, index) => element === value[index])
      ? value
      : clean
  }
  return isJsonObject(value) ? redactObject(value, declares) : value
}

const secretNames: ReadonlySet<string> = new Set([
  '$crypto',
  'authorization',
  'proxy-authorization',
  'cookie',
  'cookies',
  'set-cookie',
  'x-openidm-password',
  'x-openidm-reauth-password',
])

/** Anything ending in "password" is one, unless it is a statement about it, such as a boolean. */
function isSecret(name: string, value: Json | undefined): boolean {
  if (typeof value === 'boolean' || value === null) return false
  return isEncrypted(value) || (namesOne(name) && !isMaskedAlready(value))
}

/** Names come again and again, by the hundred thousand; those that come from outside may be without number. */
const judged = new Map<string, boolean>()
const remembered = 5_000

function namesOne(name: string): boolean {
  let judgement = judged.get(name)
  if (judgement === undefined) {
    const lower = name.toLowerCase()
    judgement = secretNames.has(lower) || /(?:password|passwd|__password__)$/.test(lower)
    if (judged.size < remembered) judged.set(name, judgement)
  }
  return judgement
}

function isMaskedAlready(value: Json | undefined): boolean {
  if (!isJsonObject(value)) return value === mask
  const members = Object.values(value)
  return members.length > 0 && members.every((one) => one === mask)
}

function isEncrypted(value: Json | undefined): boolean {
  return isJsonObject(value) && Object.hasOwn(value, '$crypto')
}
