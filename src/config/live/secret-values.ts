import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { isSealed, mask, namesSecretSetting } from '../../model/secrecy.ts'
import type { JsonSchema } from '../check/schema.ts'

/**
 * Which values of a configuration object are secrets, and what happens to those in clear: encrypted before
 * they are kept, masked before they are shown (platform §3.3). A placeholder (`&{…}`) reveals nothing and stays;
 * so does what is encrypted already.
 */
export type ConnectorSchemas = Readonly<Record<string, JsonSchema>>

/** Replaces every secret in clear by what `change` returns. The given object stays unchanged. */
export async function withSecrets(
  id: string,
  content: JsonObject,
  schemas: ConnectorSchemas,
  change: (value: Json) => Promise<Json>,
): Promise<JsonObject> {
  const result = structuredClone(content)
  for (const { holder, name } of secretsIn(id, result, schemas)) {
    const value = holder[name]
    if (isInClear(value)) holder[name] = await change(value)
  }
  return result
}

/** With secrets masked. */
export function masked(id: string, content: JsonObject, schemas: ConnectorSchemas): JsonObject {
  const result = structuredClone(content)
  for (const { holder, name } of secretsIn(id, result, schemas))
    if (isInClear(holder[name])) holder[name] = mask
  return result
}

/**
 * For content that was read, changed and sent back: replaces each mask by the value in `kept`. Returns the pointers of masks
 * without such a value.
 */
export function unmasked(
  content: JsonObject,
  kept: JsonObject | undefined,
): { readonly content: JsonObject; readonly unknown: readonly string[] } {
  const unknown: string[] = []
  const restore = (value: Json | undefined, before: Json | undefined, pointer: string): Json | undefined => {
    if (value === mask) {
      if (before === undefined) unknown.push(pointer)
      return before ?? value
    }
    if (Array.isArray(value)) {
      const others = Array.isArray(before) ? before : []
      return value.map(
        (element, index) =>
          restore(element, counterpart(element, index, others), `${pointer}/${index}`) as Json,
      )
    }
    if (!isJsonObject(value)) return value
    const others = isJsonObject(before) ? before : {}
    return Object.fromEntries(
      Object.entries(value).map(([name, below]) => [
        name,
        restore(below, others[name], `${pointer}/${name}`),
      ]),
    )
  }
  return { content: restore(content, kept, '') as JsonObject, unknown }
}

/** Named elements are matched by name: their position may have changed. */
function counterpart(element: Json, index: number, others: readonly Json[]): Json | undefined {
  if (!isJsonObject(element) || typeof element.name !== 'string') return others[index]
  return others.find((other) => isJsonObject(other) && other.name === element.name)
}

interface Secret {
  readonly holder: JsonObject
  readonly name: string
}

/** All places that may hold a secret. */
function* secretsIn(id: string, content: JsonObject, schemas: ConnectorSchemas): Iterable<Secret> {
  const { configurationProperties: settings, ...others } = content
  if (!id.startsWith('provisioner.openicf/') || !isJsonObject(settings)) return yield* named(content)
  yield* named(others)
  const declared = declaredSettings(content.connectorRef, schemas)
  for (const name of Object.keys(settings)) {
    const setting = declared[name]
    // A connector knows which of its settings are secret: `headerPassword` is the name of a column.
    const isSecret = isJsonObject(setting) ? setting.writeOnly === true : namesSecretSetting(name)
    if (isSecret) yield { holder: settings, name }
    else yield* named(settings[name])
  }
}

function declaredSettings(reference: Json | undefined, schemas: ConnectorSchemas): JsonObject {
  const name = isJsonObject(reference) ? String(reference.connectorName) : ''
  const schema = Object.hasOwn(schemas, name) ? (schemas[name] as JsonObject) : {}
  return isJsonObject(schema.properties) ? schema.properties : {}
}

function* named(value: Json | undefined): Iterable<Secret> {
  if (Array.isArray(value)) for (const element of value) yield* named(element)
  if (!isJsonObject(value) || isSealed(value)) return
  for (const [name, below] of Object.entries(value)) {
    if (namesSecretSetting(name) && !isJsonObject(below)) yield { holder: value, name }
    else yield* named(below)
  }
}

/** Text without a placeholder, neither empty nor the mask; or a number, a list or an object that is not encrypted. */
function isInClear(value: Json | undefined): value is Json {
  if (typeof value === 'string') return value !== '' && value !== mask && !value.includes('&{')
  if (Array.isArray(value)) return value.some(isInClear)
  if (isJsonObject(value)) return !isSealed(value) && Object.values(value).some(isInClear)
  return typeof value === 'number'
}
