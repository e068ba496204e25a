import type { AttributeDefinition, ClassDefinition, Subschema } from '../subschema.ts'

/**
 * What the schema that Active Directory publishes leaves out: no attribute says how it compares, that follows from its syntax
 * ([MS-ADTS] 3.1.1.2.2.4). And what an entry "must" have, the server gives it itself.
 */
export function activeDirectorySchema(schema: Subschema): Subschema {
  return {
    types: mapped(schema.types, withMatching),
    classes: mapped(schema.classes, withoutServerAttributes),
  }
}

const standard = '1.3.6.1.4.1.1466.115.121.1.'
const microsoft = '1.2.840.113556.1.4.'

const equalities: Readonly<Record<string, string>> = {
  [`${standard}7`]: 'booleanMatch',
  [`${standard}12`]: 'distinguishedNameMatch',
  [`${standard}15`]: 'caseIgnoreMatch',
  [`${standard}24`]: 'generalizedTimeMatch',
  [`${standard}26`]: 'caseExactIA5Match',
  [`${standard}27`]: 'integerMatch',
  [`${standard}36`]: 'numericStringMatch',
  [`${standard}38`]: 'objectIdentifierMatch',
  [`${standard}40`]: 'octetStringMatch',
  [`${standard}44`]: 'caseExactMatch',
  [`${microsoft}905`]: 'caseIgnoreMatch',
  [`${microsoft}906`]: 'integerMatch',
  [`${microsoft}1362`]: 'caseExactMatch',
}

const withParts: ReadonlySet<string> = new Set(['caseIgnoreMatch', 'caseExactMatch', 'caseExactIA5Match'])

/** The books of the server: they change without anybody changing the entry. */
const books: ReadonlySet<string> = new Set(
  [
    ...['uSNChanged', 'uSNCreated', 'whenChanged', 'whenCreated', 'dSCorePropagationData'],
    ...['badPwdCount', 'badPasswordTime', 'lastLogon', 'lastLogoff', 'lastLogonTimestamp', 'logonCount'],
  ].map((name) => name.toLowerCase()),
)

function withMatching(type: AttributeDefinition): AttributeDefinition {
  const equality = type.equality ?? equalities[type.syntax]
  return {
    ...type,
    equality,
    substrings: type.substrings || withParts.has(equality ?? ''),
    operational: type.operational || books.has(type.name.toLowerCase()),
  }
}

/** The server sets them, or they are the name of the entry. */
const given: ReadonlySet<string> = new Set(
  [
    'nTSecurityDescriptor',
    'instanceType',
    'objectCategory',
    'objectSid',
    'sAMAccountName',
    'groupType',
    ...['cn', 'ou', 'o', 'dc', 'l', 'c'],
  ].map((name) => name.toLowerCase()),
)

function withoutServerAttributes(one: ClassDefinition): ClassDefinition {
  const must = one.must.filter((name) => !given.has(name.toLowerCase()))
  return { ...one, must, may: [...one.may, ...one.must.filter((name) => !must.includes(name))] }
}

function mapped<T>(all: ReadonlyMap<string, T>, change: (one: T) => T): ReadonlyMap<string, T> {
  const changed = new Map<T, T>()
  return new Map(
    [...all].map(([name, one]) => {
      const after = changed.get(one) ?? change(one)
      changed.set(one, after)
      return [name, after]
    }),
  )
}

/** A computer is a `user`, too. Whoever means accounts of people does not mean computers. */
export function computersAmong(objectClasses: readonly string[]): readonly string[] {
  const asked = objectClasses.map((name) => name.toLowerCase())
  return asked.includes('user') && !asked.includes('computer') ? ['computer'] : []
}
