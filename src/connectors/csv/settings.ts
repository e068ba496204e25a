import { isAbsolute, resolve } from 'node:path'
import type { Json, JsonObject } from '../../model/json.ts'
import type { Problem } from '../../model/problem.ts'
import { misconfigured } from '../kit/errors.ts'
import { type Encoding, encodingNamed } from './encoding.ts'

/**
 * The configuration of a CSV system (platform §5.1): the JSON Schema that editors and `syncline check`
 * use, and the values as the connector works with them. Columns are named as attributes, or as
 * the file spells them; blanks become `spaceReplacementString` either way.
 */
export interface CsvSettings {
  /** Absolute. */
  readonly file: string
  readonly uid: string
  /** The column for `__NAME__`; the uid's unless configured. */
  readonly name: string
  readonly password: string
  readonly dialect: Dialect
  readonly newline: string
  readonly encoding: Encoding
  readonly multivalued: ReadonlySet<string>
  /** How many copies of the file liveSync keeps. */
  readonly keptSnapshots: number
  readonly separator: string
  attributeOf(header: string): string
}

export interface Dialect {
  readonly quote: string
  readonly delimiter: string
  /** Absent: quotes within quotes are only doubled. */
  readonly escaper: string | undefined
}

const text = (description: string, value?: string) => ({
  type: 'string',
  description,
  ...(value !== undefined && { default: value }),
})

export const configurationSchema = {
  type: 'object',
  required: ['csvFile'],
  properties: {
    csvFile: {
      ...text(
        'The file. A relative path starts at the project folder; others are below `syncline.file.roots`.',
      ),
      format: 'path',
    },
    headerUid: text('The column whose value is the id of a row.', 'uid'),
    headerName: text('The column that `__NAME__` stands for. Default: that of `headerUid`.'),
    headerPassword: text('The column for authentication.', 'password'),
    quoteCharacter: text('One character around fields.', '"'),
    fieldDelimiter: text('One character between fields.', ','),
    escapeCharacter: text(
      'Directly before a quote within a quoted field, it makes the quote an ordinary character, as doubling the quote ' +
        'does. Elsewhere it is itself. Empty: quotes are only doubled.',
      '\\',
    ),
    newlineString: text('Written after rows: \\n, \\r\\n or \\r. All three are read.', '\n'),
    encoding: text('`utf-8`, or a single-byte encoding such as `iso-8859-1` or `windows-1252`.', 'utf-8'),
    spaceReplacementString: text('Replaces blanks in the names of columns.', '_'),
    multivaluedColumns: {
      type: 'array',
      items: { type: 'string' },
      description: 'Columns whose cells hold several values, joined by `multiValueSeparator`.',
      default: [],
    },
    multiValueSeparator: text('Stands between the values of a multi-valued cell.', ';'),
    syncFileRetentionCount: {
      type: 'integer',
      description:
        'Copies of the file that liveSync keeps, to tell what has changed since. At least two are kept.',
      default: 3,
    },
  },
} as const

export function csvSettings(configuration: JsonObject, projectFolder: string): CsvSettings {
  const given = <T extends Json>(name: string) => (configuration[name] ?? undefined) as T | undefined
  const string = (name: keyof typeof configurationSchema.properties): string => {
    const { default: fallback } = configurationSchema.properties[name] as { default?: string }
    const value = given(name) ?? fallback
    if (typeof value !== 'string') throw invalid(name, `is ${JSON.stringify(value) ?? 'missing'}, not a text`)
    return value
  }
  const replacement = string('spaceReplacementString')
  const attributeOf = (header: string) => header.trim().replace(/\s/g, replacement)
  const uid = attributeOf(string('headerUid'))
  const file = string('csvFile')
  if (file === '') throw invalid('csvFile', 'is empty; it names the file')
  const separator = string('multiValueSeparator')
  if (separator === '') throw invalid('multiValueSeparator', 'is empty; a text must stand between values')
  return {
    file: isAbsolute(file) ? file : resolve(projectFolder, file),
    uid,
    name: given('headerName') === undefined ? uid : attributeOf(string('headerName')),
    password: attributeOf(string('headerPassword')),
    dialect: dialect(string('quoteCharacter'), string('fieldDelimiter'), string('escapeCharacter')),
    newline: newline(string('newlineString')),
    encoding: encodingNamed(string('encoding')),
    multivalued: new Set(columns(given('multivaluedColumns') ?? []).map(attributeOf)),
    separator,
    keptSnapshots: kept(given('syncFileRetentionCount') ?? 3),
    attributeOf,
  }
}

function dialect(quote: string, delimiter: string, escaper: string): Dialect {
  oneCharacter('quoteCharacter', quote)
  oneCharacter('fieldDelimiter', delimiter)
  if (escaper !== '') oneCharacter('escapeCharacter', escaper)
  if (quote === delimiter) throw invalid('fieldDelimiter', `is the same as quoteCharacter: ${quote}`)
  if (escaper === delimiter) throw invalid('escapeCharacter', `is the same as fieldDelimiter: ${escaper}`)
  return { quote, delimiter, escaper: escaper === '' || escaper === quote ? undefined : escaper }
}

function oneCharacter(name: string, value: string): void {
  const isOne = value.length === 1 && !/[\r\n]/.test(value)
  if (!isOne) throw wrong(name, value, 'it must be one character that is no line break')
}

function newline(value: string): string {
  if (['\n', '\r\n', '\r'].includes(value)) return value
  throw wrong('newlineString', value, 'allowed are "\\n", "\\r\\n" and "\\r"')
}

function kept(value: Json): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value
  throw wrong('syncFileRetentionCount', value, 'it must be a number of copies')
}

function columns(value: Json): readonly string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value
  throw wrong('multivaluedColumns', value, 'it must be a list of column names')
}

function wrong(name: string, value: Json, fact: string): Problem {
  return invalid(name, `is ${JSON.stringify(value)}; ${fact}`)
}

function invalid(name: string, fact: string): Problem {
  return misconfigured(['configurationProperties', name], fact)
}
