import type { Comparison } from '../kit/schema.ts'
import { type Column, type ColumnKind, columnNamed, isMadeUp, type Row } from './column.ts'
import type { FoundTable, Session } from './dialect.ts'

/** What `information_schema` of MySQL and MariaDB says of a table or view. */
function columnsSql(schema: string, table: string): string {
  return `
    SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLUMN_DEFAULT, c.EXTRA, c.COLLATION_NAME,
      c.CHARACTER_MAXIMUM_LENGTH, c.NUMERIC_PRECISION, c.NUMERIC_SCALE, c.DATETIME_PRECISION,
      EXISTS (SELECT 1 FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = c.TABLE_SCHEMA
        AND s.TABLE_NAME = c.TABLE_NAME AND s.NON_UNIQUE = 0 AND s.COLUMN_NAME = c.COLUMN_NAME AND s.SUB_PART IS NULL
        AND NOT EXISTS (SELECT 1 FROM information_schema.STATISTICS o WHERE o.TABLE_SCHEMA = s.TABLE_SCHEMA
          AND o.TABLE_NAME = s.TABLE_NAME AND o.INDEX_NAME = s.INDEX_NAME AND o.COLUMN_NAME <> s.COLUMN_NAME))
    FROM information_schema.COLUMNS c
    WHERE c.TABLE_SCHEMA = COALESCE(${schema}, DATABASE()) AND c.TABLE_NAME = ${table}
    ORDER BY c.ORDINAL_POSITION`
}

/** What is done before each insert, as far as the account may see it. */
function triggersSql(schema: string, table: string): string {
  return `
    SELECT ACTION_STATEMENT FROM information_schema.TRIGGERS
    WHERE EVENT_OBJECT_SCHEMA = COALESCE(${schema}, DATABASE()) AND EVENT_OBJECT_TABLE = ${table}
      AND ACTION_TIMING = 'BEFORE' AND EVENT_MANIPULATION = 'INSERT'`
}

/** Does a trigger give a new row its value of this column? */
function isSet(column: string, body: string): boolean {
  const name = `\`?${RegExp.escape(column)}\`?`
  return new RegExp(`\\bNEW\\s*\\.\\s*${name}\\s*:?=(?!=)`, 'i').test(
    body.replace(/\bIF\b.*?\bTHEN\b/gis, ''),
  )
}

export async function mysqlColumns(
  session: Session,
  table: string,
  isExact: boolean,
  quote: (name: string) => string,
): Promise<FoundTable | undefined> {
  const [schema, ...rest] = table.split('.')
  const places = [
    [null, table],
    ...(rest.length === 1 ? [[schema ?? null, rest[0] ?? '']] : []),
    ...(isExact ? [] : alike(await mysqlTables(session), table)),
  ] as const
  for (const [in_, name] of places) {
    const rows = await session.rows(columnsSql('\u00011\u0001', '\u00012\u0001'), [in_ ?? null, name ?? ''])
    if (rows.length === 0) continue
    const quoted = quote(name ?? '')
    const triggers = await session.rows(triggersSql('\u00011\u0001', '\u00012\u0001'), [
      in_ ?? null,
      name ?? '',
    ])
    const bodies = triggers.map(([body]) => String(body))
    return {
      sql: in_ ? `${quote(in_)}.${quoted}` : quoted,
      columns: rows.map((row) => columnOf(row, bodies)),
    }
  }
  return undefined
}

function alike(tables: readonly string[], table: string): readonly (readonly [null, string])[] {
  const found = columnNamed(
    tables.map((name) => ({ name })),
    table,
    false,
  )
  return found ? [[null, found.name]] : []
}

export async function mysqlTables(session: Session): Promise<readonly string[]> {
  const rows = await session.rows(
    'SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() ORDER BY 1',
  )
  return rows.map(([name]) => String(name))
}

const kinds: Readonly<Record<string, ColumnKind>> = {
  tinyint: 'integer',
  smallint: 'integer',
  mediumint: 'integer',
  int: 'integer',
  bigint: 'integer',
  year: 'integer',
  bit: 'integer',
  decimal: 'decimal',
  float: 'float',
  double: 'float',
  binary: 'bytes',
  varbinary: 'bytes',
  tinyblob: 'bytes',
  blob: 'bytes',
  mediumblob: 'bytes',
  longblob: 'bytes',
  date: 'date',
  datetime: 'timestamp',
  timestamp: 'timestamp',
  char: 'text',
  varchar: 'text',
  tinytext: 'text',
  text: 'text',
  mediumtext: 'text',
  longtext: 'text',
}

/** By the name of a type in the catalog. */
export function kindOfType(name: string): ColumnKind {
  return kinds[name] ?? 'other'
}

function columnOf(row: Row, triggers: readonly string[]): Column {
  const [name = '', dataType, type, nullable, preset = '', extra, collation] = row.map(String)
  const number = (place: number) => (row[place] === null ? undefined : Number(row[place]))
  const isTruth = type?.startsWith('tinyint(1)') === true || type === 'bit(1)'
  const kind = isTruth ? 'boolean' : kindOfType(dataType ?? '')
  const isTemporal = kind === 'timestamp'
  return {
    name,
    kind,
    type: type ?? '',
    nullable: nullable === 'YES',
    hasDefault:
      (row[4] !== null && row[4] !== 'NULL') || /auto_increment|default_generated/i.test(extra ?? ''),
    generated:
      /auto_increment/i.test(extra ?? '') || isMadeUp(preset) || triggers.some((body) => isSet(name, body)),
    ...(/auto_increment/i.test(extra ?? '') && { counted: true }),
    computed: /\b(virtual|stored|persistent) ?(generated)?/i.test(extra ?? ''),
    unique: Number(row[11]) === 1,
    comparison: comparisonOf(kind, row[6] === null ? undefined : collation),
    collation: row[6] === null ? undefined : collation,
    ...((kind === 'text' || kind === 'bytes') && { length: number(7) }),
    ...(['char', 'binary'].includes(dataType ?? '') && { padded: true }),
    ...(kind === 'decimal' && { precision: number(8), scale: number(9) }),
    ...(isTemporal && { fraction: number(10) ?? 0 }),
    ...(dataType === 'float' && { digits: 6 as const }),
  }
}

/** Of texts, only the binary collations tell all texts apart. */
function comparisonOf(kind: ColumnKind, collation: string | undefined): Comparison {
  if (kind !== 'text' && kind !== 'other') return 'exact'
  return collation === undefined || collation.endsWith('_bin') ? 'exact' : 'unknown'
}
