export type AttributeType = 'string' | 'number' | 'integer' | 'boolean' | 'bytes' | 'date' | 'object' | 'any'

/**
 * How a system compares the values of an attribute in its own filters. `unknown`: only the system knows, so that
 * it must evaluate every comparison.
 */
export type Comparison = 'exact' | 'ignoreCase' | 'unknown'

/** One attribute of an object class. The id (`_id`) is not an attribute. */
export interface NativeAttribute {
  readonly name: string
  readonly type: AttributeType
  readonly multivalued: boolean
  /** Must have a value on create. */
  readonly required: boolean
  /** Absent: `unknown`. */
  readonly comparison?: Comparison
  /** Absent: true. */
  readonly creatable?: boolean
  readonly updateable?: boolean
  readonly readable?: boolean
  readonly returnedByDefault?: boolean
  /** Comes as a `Secret` and is never compared, shown or logged. Absent: false. */
  readonly secret?: boolean
  /** No two objects share a value. Absent: false. */
  readonly unique?: boolean
}

export type ClassOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'GET' | 'SEARCH' | 'AUTHENTICATE' | 'SYNC'

export interface ObjectClass {
  readonly attributes: readonly NativeAttribute[]
  /** The operations on objects of this class. Absent: all that the connector offers. */
  readonly operations?: readonly ClassOperation[]
  /** What of this class could not be described, each in a sentence; `attributes` has the rest. */
  readonly findings?: readonly string[]
  /** An attribute may have values of its own under its name with options, e.g. in a language. Absent: false. */
  readonly takesOptions?: boolean
  /** Names of attributes are the same in any case. Absent: false. */
  readonly namesIgnoreCase?: boolean
}

/** The attribute of this name, in the spelling asked for; one with options, such as `cn;lang-de`, is described by its type where the class takes options. */
export function describedAttribute(
  { attributes, takesOptions = false, namesIgnoreCase = false }: ObjectClass,
  name: string,
): NativeAttribute | undefined {
  const spelled = (text: string) => (namesIgnoreCase ? text.toLowerCase() : text)
  const described = (wanted: string) =>
    attributes.find((one) => one.name === wanted) ??
    attributes.find((one) => spelled(one.name) === spelled(wanted))
  const own = described(name)
  if (own) return own.name === name ? own : { ...own, name }
  const [type = ''] = name.split(';')
  const base = takesOptions && type !== name ? described(type) : undefined
  return base && { ...base, name, required: false, returnedByDefault: false }
}

export interface Schema {
  /** The object classes that the system has now, by name, e.g. `__ACCOUNT__`. */
  schema(signal?: AbortSignal): Promise<Readonly<Record<string, ObjectClass>>>
}
