import { isJsonObject, type JsonObject } from '../model/json.ts'
import { namesSecret } from '../model/secrecy.ts'

/** Attributes by which people are commonly called, best first; several make one name. */
const common: readonly (readonly string[])[] = [
  ['displayName'],
  ['fullName'],
  ['cn'],
  ['givenName', 'sn'],
  ['firstName', 'lastName'],
  ['givenName', 'familyName'],
  ['userName'],
  ['name'],
  ['mail'],
  ['email'],
]

/**
 * What people call an object: the values of the attributes that the mapping names, else of the first common ones that it has. Undefined
 * where it has none.
 */
export function personName(
  objects: readonly (JsonObject | undefined)[],
  displayAttributes: readonly string[],
  isSecret: (name: string) => boolean = () => false,
): string | undefined {
  const sets = displayAttributes.length > 0 ? [displayAttributes] : common
  for (const object of objects) {
    if (!object) continue
    const members = new Map(Object.entries(object).map(([name, value]) => [name.toLowerCase(), value]))
    for (const names of sets) {
      const texts = names.map((name) => {
        const value = members.get(name.toLowerCase())
        const first = Array.isArray(value) ? value[0] : value
        if (first === undefined || first === null || isJsonObject(first) || Array.isArray(first)) return ''
        return isSecret(name) || namesSecret(name) ? '' : String(first).trim()
      })
      const isWhole = displayAttributes.length > 0 ? texts.some(Boolean) : texts.every(Boolean)
      if (isWhole) return texts.filter(Boolean).join(' ').slice(0, 80)
    }
  }
  return undefined
}
