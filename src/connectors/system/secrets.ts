import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'

/** Gives a deep copy with every encrypted value in plaintext. */
export type Decrypt = (value: Json) => Promise<Json>

/** Secrets become plaintext here and nowhere earlier; content without secrets is returned unchanged. */
export async function decrypted(content: JsonObject, decrypt: Decrypt): Promise<JsonObject> {
  // Decrypting keeps an object an object.
  return holdsSecret(content) ? ((await decrypt(content)) as JsonObject) : content
}

function holdsSecret(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret)
  if (!isJsonObject(value)) return false
  return Object.hasOwn(value, '$crypto') || Object.values(value).some(holdsSecret)
}
