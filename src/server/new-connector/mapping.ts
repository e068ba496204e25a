import { asObject, type JsonObject } from '../../model/json.ts'

/** A beginning of a mapping, and what is still to be said in it. */
export interface MappingSkeleton {
  readonly mapping: JsonObject
  readonly notes: readonly string[]
}

/** Names that mean the same in the systems that people have. */
const sameMeaning: readonly (readonly string[])[] = [
  ['username', 'samaccountname', 'uid', 'login', 'loginname', 'account', 'accountname', 'user', 'id'],
  ['givenname', 'firstname', 'forename', 'vorname'],
  ['sn', 'lastname', 'surname', 'familyname', 'nachname'],
  ['mail', 'email', 'emailaddress', 'mailaddress'],
  ['displayname', 'fullname', 'cn', 'commonname'],
  ['telephonenumber', 'phone', 'phonenumber', 'tel', 'telephone'],
  ['employeenumber', 'employeeid', 'personnelnumber', 'personid', 'staffid'],
  ['title', 'jobtitle', 'position'],
  ['department', 'departmentname', 'ou', 'unit'],
]

const firstValue = { type: 'text/javascript', source: 'source ? source[0] : null' }

/** Properties by which two records of one person are found, the best first. */
const identifying = ['userName', 'employeeNumber', 'mail']

/**
 * From an object type of a new system to managed users: the properties whose names say the same, a correlation, and policies that delete
 * nothing. Pure. Undefined where no property fits.
 */
export function mappingSkeleton(
  system: string,
  typeName: string,
  type: JsonObject,
  managed: { readonly name: string; readonly content: JsonObject },
): MappingSkeleton | undefined {
  const schema = asObject(managed.content.schema)
  const properties = pairs(type, schema)
  if (properties.length === 0) return undefined
  const name = `${system}${capital(typeName)}_managed${capital(managed.name)}`
  const mapped = new Set(properties.map(({ target }) => target))
  const key = identifying.find((one) => mapped.has(one))
  const required = Array.isArray(schema.required) ? schema.required.map(String) : []
  return {
    mapping: {
      name,
      source: `system/${system}/${typeName}`,
      target: `managed/${managed.name}`,
      ...(key !== undefined && { correlationQuery: [correlationBy(key, name)] }),
      properties: properties.map((pair): JsonObject => ({ ...pair })),
      policies: policies.map(([situation, action]) => ({ situation, action })),
    },
    notes: notesOf({
      target: `managed/${managed.name}`,
      lacking: required.filter((one) => !mapped.has(one)),
      lists: properties.flatMap(({ source, transform }) => (transform ? [source] : [])),
      isCorrelated: key !== undefined,
    }),
  }
}

interface Pair {
  readonly source: string
  readonly target: string
  readonly transform?: typeof firstValue
}

/** Properties of both sides that say the same. */
function pairs(type: JsonObject, schema: JsonObject): Pair[] {
  const declared = asObject(type.properties)
  const targets = Object.entries(asObject(schema.properties)).filter(([, one]) => isText(asObject(one)))
  const sources = Object.keys(declared).filter((name) => isReadableText(asObject(declared[name])))
  return targets.flatMap(([target]): Pair[] => {
    const source = bestFor(target, sources) ?? (target === 'userName' ? nameIn(type, sources) : undefined)
    if (source === undefined) return []
    const isList = asObject(declared[source]).type === 'array'
    return [{ source, target, ...(isList && { transform: firstValue }) }]
  })
}

/** Nothing is deleted, and what is not clear is left to a person. */
const policies = [
  ['ABSENT', 'CREATE'],
  ['FOUND', 'UPDATE'],
  ['CONFIRMED', 'UPDATE'],
  ['AMBIGUOUS', 'EXCEPTION'],
  ['MISSING', 'EXCEPTION'],
  ['SOURCE_MISSING', 'REPORT'],
  ['UNQUALIFIED', 'REPORT'],
  ['UNASSIGNED', 'REPORT'],
] as const

function correlationBy(property: string, mapping: string): JsonObject {
  return {
    linkQualifier: 'default',
    type: 'text/javascript',
    file: 'ui/correlateTreeToQueryFilter.js',
    mapping,
    expressionTree: { any: [property] },
  }
}

interface Open {
  readonly target: string
  readonly lacking: readonly string[]
  readonly lists: readonly string[]
  readonly isCorrelated: boolean
}

function notesOf({ target, lacking, lists, isCorrelated }: Open): readonly string[] {
  return [
    ...(lacking.length > 0
      ? [`${target} requires ${lacking.join(', ')}: say in the mapping where it comes from`]
      : []),
    ...(lists.length > 0 ? [`${lists.join(', ')} may have several values: the mapping takes the first`] : []),
    ...(isCorrelated
      ? []
      : ['Nothing tells which object belongs to whom: give the mapping a correlationQuery']),
  ]
}

function bestFor(target: string, sources: readonly string[]): string | undefined {
  const wanted = plain(target)
  const meaning = sameMeaning.find((names) => names.includes(wanted)) ?? []
  const exact = sources.find((source) => plain(source) === wanted)
  return (
    exact ??
    meaning
      .map((name) => sources.find((source) => plain(source) === name))
      .find((found) => found !== undefined)
  )
}

/** The property that names an object at its system. */
function nameIn(type: JsonObject, sources: readonly string[]): string | undefined {
  const declared = asObject(type.properties)
  return sources.find((source) => asObject(declared[source]).nativeName === '__NAME__')
}

/** `last_name`, `lastName` and `Last name` are one. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '')
}

function isText({ type }: JsonObject): boolean {
  return type === 'string' || (Array.isArray(type) && type.includes('string'))
}

/** A text, or a list of texts. */
function isReadableText({ type, items, flags }: JsonObject): boolean {
  const element = type === 'array' ? asObject(items).type : type
  return element === 'string' && !(Array.isArray(flags) && flags.includes('NOT_READABLE'))
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
