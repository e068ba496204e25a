import { asObject, type JsonObject } from '../../model/json.ts'

/** More attributes than a person reads through: then only those that are commonly used are taken. */
const readable = 40

/** Of people, and of groups. */
const common: ReadonlySet<string> = new Set(
  (
    'uid cn sn givenName displayName mail telephoneNumber mobile title description employeeNumber employeeType department ' +
    'departmentNumber o ou l manager member uniqueMember memberUid memberOf ldapGroups samAccountName userPrincipalName'
  )
    .toLowerCase()
    .split(' '),
)

export interface ChosenTypes {
  readonly objectTypes: JsonObject
  /** What was left out, each in a sentence. */
  readonly notes: readonly string[]
}

/**
 * The types and properties that a new configuration begins with. Where a system has agreed types (accounts, groups), only they are taken, and of types with very many
 * attributes those that are required, agreed or commonly used: the rest is there for who needs it.
 */
export function chosenTypes(discovered: JsonObject): ChosenTypes {
  const types = Object.entries(discovered).map(([name, type]) => [name, asObject(type)] as const)
  const agreed = types.filter(([, { nativeType }]) => /^__.+__$/.test(String(nativeType)))
  const taken = agreed.length > 0 ? agreed : types
  const notes: string[] = []
  const others = types.length - taken.length
  if (others > 0) notes.push(`${others} further types of objects were left out`)
  const objectTypes = Object.fromEntries(
    taken.map(([name, type]) => {
      const all = Object.entries(asObject(type.properties))
      const chosen =
        all.length <= readable
          ? all
          : all.filter(([property, declared]) => isUsual(property, asObject(declared)))
      if (chosen.length < all.length)
        notes.push(
          `${name}: ${all.length - chosen.length} further attributes were left out; add those that you need to objectTypes`,
        )
      return [name, { ...type, properties: Object.fromEntries(chosen) }]
    }),
  )
  return { objectTypes, notes }
}

function isUsual(name: string, { required, nativeName }: JsonObject): boolean {
  return required === true || /^__.+__$/.test(String(nativeName)) || common.has(name.toLowerCase())
}
