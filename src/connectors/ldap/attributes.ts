import type { Comparison, NativeAttribute, ObjectClass } from '../kit/schema.ts'
import type { Membership } from './membership.ts'
import { type AttributeDefinition, lineage, type Subschema } from './subschema.ts'
import type { VirtualAttribute } from './virtual.ts'

/**
 * The attributes of one object class of the connector: those of its object classes and of what these extend, those of all
 * auxiliary classes, since any entry may have one, and the operational ones. All values are text, as the peers give them;
 * only syntaxes of bytes are bytes.
 */
export interface ClassAttributes {
  readonly objectClass: ObjectClass
  /** By name in lower case. */
  readonly byName: ReadonlyMap<string, LdapAttribute>
  /** Names under which servers send bytes. */
  readonly binary: readonly string[]
}

export interface LdapAttribute extends NativeAttribute {
  readonly syntax: string
  readonly substrings: boolean
  /** What makes it of others; absent: entries have it. */
  readonly virtual?: VirtualAttribute
  /** A list that is kept by the groups; absent: entries have it. */
  readonly membership?: Membership
  /** The ids of members of groups, whose names entries have. */
  readonly memberIds?: true
}

/** Stands for the whole name of an entry, `__NAME__`. */
export const nameAttribute = 'dn'

const syntaxes = '1.3.6.1.4.1.1466.115.121.1.'
export const directoryString = `${syntaxes}15`
export const ia5String = `${syntaxes}26`
export const booleanSyntax = `${syntaxes}7`
/** Values are names of entries. */
export const nameSyntax = `${syntaxes}12`

const bytes: ReadonlySet<string> = new Set([
  ...['4', '5', '8', '9', '10', '23', '28', '40', '49'].map((number) => syntaxes + number),
  // Active Directory: a security descriptor, an octet string with a SID.
  '1.2.840.113556.1.4.907',
])

const comparisons: Readonly<Record<string, Comparison>> = {
  caseignorematch: 'ignoreCase',
  caseignoreia5match: 'ignoreCase',
  distinguishednamematch: 'ignoreCase',
  objectidentifiermatch: 'ignoreCase',
  uuidmatch: 'ignoreCase',
  caseexactmatch: 'exact',
  caseexactia5match: 'exact',
  integermatch: 'exact',
  booleanmatch: 'exact',
  octetstringmatch: 'exact',
  numericstringmatch: 'exact',
  generalizedtimematch: 'exact',
}

export function attributesOf(
  schema: Subschema,
  objectClasses: readonly string[],
  passwordAttribute: string,
  virtual: readonly VirtualAttribute[],
  {
    memberships = [],
    memberIds = false,
  }: { readonly memberships?: readonly Membership[]; readonly memberIds?: boolean },
): ClassAttributes {
  const own = objectClasses.flatMap((name) => lineage(schema, name))
  const auxiliary = [...schema.classes.values()].filter(({ kind }) => kind === 'AUXILIARY')
  const required = new Set(own.flatMap(({ must }) => must).map((name) => name.toLowerCase()))
  // What an entry is, the configuration says where the object does not.
  required.delete('objectclass')
  const allowed = [...own, ...auxiliary].flatMap(({ must, may }) => [...must, ...may])
  const operational = [...schema.types.values()].filter((type) => type.operational).map(({ name }) => name)
  const byName = new Map<string, LdapAttribute>()
  for (const name of [...allowed, ...operational, passwordAttribute]) {
    const definition = schema.types.get(name.toLowerCase())
    if (!definition || byName.has(definition.name.toLowerCase())) continue
    const isPassword = definition.name.toLowerCase() === passwordAttribute.toLowerCase()
    byName.set(definition.name.toLowerCase(), {
      ...attributeOf(definition),
      required: required.has(name.toLowerCase()) && !isPassword,
      ...(isPassword && passwordFacts),
    })
  }
  byName.set(nameAttribute, entryName)
  for (const one of virtual)
    if (one.from.every((name) => byName.has(name.toLowerCase())))
      byName.set(one.name.toLowerCase(), virtualAttribute(one))
  for (const one of memberships) byName.set(one.name.toLowerCase(), membershipAttribute(one))
  if (memberIds) byName.set(memberIdAttribute.toLowerCase(), memberIdsAttribute)
  const undescribed = [...required].filter((name) => !schema.types.has(name))
  return {
    objectClass: {
      takesOptions: true,
      namesIgnoreCase: true,
      attributes: [...byName.values()].map(published),
      ...(undescribed.length > 0 && {
        findings: [`The server requires ${undescribed.join(', ')}, and does not describe it`],
      }),
    },
    byName,
    binary: [...byName.values()]
      .filter(({ type }) => type === 'bytes')
      .flatMap(({ name }) => [name, `${name};binary`]),
  }
}

/** A type of attributes and its options (RFC 4512, section 2.5), in lower case; `binary` says how a value is sent, and is no other attribute. */
export function descriptionOf(text: string): { readonly type: string; readonly options: readonly string[] } {
  const [type = '', ...options] = text.toLowerCase().split(';')
  return { type, options: options.filter((one) => one !== 'binary').toSorted() }
}

/** What a name stands for, also one with options: `cn;lang-de` is like `cn`, and has values of its own. */
export function attributeNamed({ byName }: ClassAttributes, name: string): LdapAttribute | undefined {
  const known = byName.get(name.toLowerCase())
  if (known || !name.includes(';')) return known
  const attribute = byName.get(descriptionOf(name).type)
  if (!attribute || attribute.secret || !isInEntries(attribute)) return undefined
  return { ...attribute, name, required: false, returnedByDefault: false }
}

/** False for one that the connector makes of others. */
export function isInEntries({ virtual, membership, memberIds }: LdapAttribute): boolean {
  return !virtual && !membership && !memberIds
}

function attributeOf(definition: AttributeDefinition): LdapAttribute {
  const { name, syntax, equality = '', substrings, singleValue, operational, readOnly } = definition
  return {
    name,
    type: bytes.has(syntax) ? 'bytes' : 'string',
    multivalued: !singleValue,
    required: false,
    comparison: comparisons[equality.toLowerCase()] ?? 'unknown',
    creatable: !readOnly,
    updateable: !readOnly,
    returnedByDefault: !operational,
    syntax,
    substrings,
  }
}

/** A password can be set; nobody gets it back. */
const passwordFacts = {
  type: 'string',
  multivalued: false,
  secret: true,
  readable: false,
  returnedByDefault: false,
} as const

const entryName: LdapAttribute = {
  name: nameAttribute,
  type: 'string',
  multivalued: false,
  required: true,
  comparison: 'ignoreCase',
  unique: true,
  syntax: nameSyntax,
  substrings: false,
}

function membershipAttribute(membership: Membership): LdapAttribute {
  return {
    name: membership.name,
    type: 'string',
    multivalued: true,
    required: false,
    comparison: 'ignoreCase',
    returnedByDefault: false,
    syntax: '',
    substrings: false,
    membership,
  }
}

/** The ids of the members of a group, `getGroupMemberId` (platform §5.2). */
export const memberIdAttribute = '_memberId'

const memberIdsAttribute: LdapAttribute = {
  name: memberIdAttribute,
  type: 'string',
  multivalued: true,
  required: false,
  comparison: 'exact',
  creatable: false,
  updateable: false,
  syntax: '',
  substrings: false,
  memberIds: true,
}

function virtualAttribute(virtual: VirtualAttribute): LdapAttribute {
  const { name, type, write, returnedByDefault } = virtual
  const isWritable = write !== undefined
  return {
    name,
    type,
    multivalued: false,
    required: false,
    comparison: 'exact',
    creatable: isWritable,
    updateable: isWritable,
    returnedByDefault,
    syntax: '',
    substrings: false,
    virtual,
  }
}

function published({
  syntax: _,
  substrings: __,
  virtual: ___,
  membership: ____,
  memberIds: _____,
  ...attribute
}: LdapAttribute): NativeAttribute {
  return attribute
}
