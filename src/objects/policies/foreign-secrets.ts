import { equal } from '../../model/equality.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'

/**
 * Encrypted and hashed values (`$crypto`) from external callers are accepted only if the same value is already stored at
 * the same place, as when a client reads an object and sends it back. Any other value could be the secret of another
 * object, copied to where its plaintext is shown or passed on, or a hash of a password that the sender knows. FORBIDDEN
 * names the place.
 */
export function refuseForeignSecrets(content: JsonObject, stored: JsonObject | undefined): void {
  const sent = secretsIn(content)
  if (sent.length === 0) return
  const known = secretsIn(stored ?? {})
  for (const { place, value } of sent) {
    if (known.some((one) => one.place === place && equal(one.value, value))) continue
    const message = `${place}: an encrypted or hashed value may not be brought in from outside; send the value itself`
    throw new Problem('FORBIDDEN', message)
  }
}

interface Secret {
  /** The elements of an array share theirs, so that one may be taken out before another. */
  readonly place: string
  readonly value: JsonObject
}

function secretsIn(value: Json | undefined, place = ''): readonly Secret[] {
  if (Array.isArray(value)) return value.flatMap((element) => secretsIn(element, `${place}/*`))
  if (!isJsonObject(value)) return []
  if (Object.hasOwn(value, '$crypto')) return [{ place, value }]
  return Object.entries(value).flatMap(([name, member]) => secretsIn(member, `${place}/${name}`))
}
