import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'

/**
 * What an audit entry must never contain is taken out before it is stored (platform specification §9, [D]):
 * authorization headers, cookies, passwords, and values under `$crypto`. Untouched parts are shared with the given
 * content, which itself stays as it is.
 */
export function redact(content: JsonObject): JsonObject {
  return redactObject(content)
}

function redactObject(object: JsonObject): JsonObject {
  let redacted: JsonObject | undefined
  for (const [name, value] of Object.entries(object)) {
    if (isSecret(name, value)) {
      redacted ??= { ...object }
      delete redacted[name]
      continue
    }
    const clean = redactValue(value)
    if (clean === value) continue
    redacted ??= { ...object }
    redacted[name] = clean
  }
  return redacted ?? object
}

function redactValue(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) {
    const clean = value
      .filter((element) => !isEncrypted(element))
      .map((element) => redactValue(element) as Json)
    return clean.length === value.length && clean.every((element, index) => element === value[index])
      ? value
      : clean
  }
  return isJsonObject(value) ? redactObject(value) : value
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
  const lower = name.toLowerCase()
  if (secretNames.has(lower)) return true
  return isEncrypted(value) || (/(?:password|passwd|__password__)$/.test(lower) && typeof value !== 'boolean')
}

function isEncrypted(value: Json | undefined): boolean {
  return isJsonObject(value) && Object.hasOwn(value, '$crypto')
}
