import type { Comparison } from '../kit/schema.ts'
import { type Column, type ColumnKind, columnNamed, type Row } from './column.ts'
import type { FoundTable, Session } from './dialect.ts'

/** What the catalog of SQL Server says of a table or view. */
const columnsSql = `
  SELECT c.name, t.name, c.max_length, c.precision, c.scale, c.is_nullable, c.is_identity, c.is_computed, c.collation_name,
    CASE WHEN c.default_object_id <> 0 THEN 1 ELSE 0 END,
    CASE WHEN EXISTS (SELECT 1 FROM sys.indexes i JOIN sys.index_columns k ON k.object_id = i.object_id AND k.index_id = i.index_id
      WHERE i.object_id = c.object_id AND i.is_unique = 1 AND i.has_filter = 0 AND i.is_disabled = 0
        AND k.column_id = c.column_id AND k.is_included_column = 0
        AND NOT EXISTS (SELECT 1 FROM sys.index_columns o WHERE o.object_id = k.object_id AND o.index_id = k.index_id
          AND o.is_included_column = 0 AND o.column_id <> k.column_id)) THEN 1 ELSE 0 END
  FROM sys.columns c JOIN sys.types t ON t.user_type_id = CASE WHEN c.user_type_id > 256 THEN c.system_type_id ELSE c.user_type_id END
  WHERE c.object_id = CAST(@p1 AS int)
  ORDER BY c.column_id`

const tablesSql = `
  SELECT o.object_id, s.name, o.name, CASE WHEN s.name = SCHEMA_NAME() THEN 1 ELSE 0 END
  FROM sys.objects o JOIN sys.schemas s ON s.schema_id = o.schema_id
  WHERE o.type IN ('U', 'V') ORDER BY 4 DESC, 2, 3`

interface Place {
  readonly object: string
  readonly schema: string
  /** Alone in the schema of the account, with its schema elsewhere. */
  readonly name: string
  readonly table: string
}

export async function sqlServerColumns(
  session: Session,
  table: string,
  isExact: boolean,
  quote: (name: string) => string,
): Promise<FoundTable | undefined> {
  const places = await placesIn(session)
  const full = places.map((place) => ({ ...place, name: `${place.schema}.${place.table}` }))
  const found = columnNamed(places, table, isExact) ?? columnNamed(full, table, isExact)
  if (!found) return undefined
  const rows = await session.rows(columnsSql, [found.object])
  return { sql: `${quote(found.schema)}.${quote(found.table)}`, columns: rows.map(columnOf) }
}

export async function sqlServerTables(session: Session): Promise<readonly string[]> {
  return (await placesIn(session)).map(({ name }) => name)
}

async function placesIn(session: Session): Promise<readonly Place[]> {
  const rows = await session.rows(tablesSql)
  return rows.map((row) => {
    const [object = '', schema = '', table = '', isOwn = ''] = row.map(String)
    return { object, schema, table, name: isOwn === '1' ? table : `${schema}.${table}` }
  })
}

const kinds: Readonly<Record<string, ColumnKind>> = {
  ...{ tinyint: 'integer', smallint: 'integer', int: 'integer', bigint: 'integer' },
  // A rowversion, which grows with each change of its row: as the number that it is.
  ...{ timestamp: 'integer', rowversion: 'integer' },
  ...{ bit: 'boolean', real: 'float', float: 'float' },
  ...{ decimal: 'decimal', numeric: 'decimal', money: 'decimal', smallmoney: 'decimal' },
  ...{ char: 'text', nchar: 'text', varchar: 'text', nvarchar: 'text', text: 'text', ntext: 'text' },
  ...{ binary: 'bytes', varbinary: 'bytes', image: 'bytes' },
  ...{ date: 'date', datetime: 'timestamp', smalldatetime: 'timestamp' },
  ...{ datetime2: 'timestamp', datetimeoffset: 'timestamp' },
}

/** By the name of a type in the catalog. */
export function kindOfType(name: string): ColumnKind {
  return kinds[name] ?? 'other'
}

/** `datetime` counts in 300ths of a second: those with two digits it keeps. */
const fractions: Readonly<Record<string, number>> = { datetime: 2, smalldatetime: 0 }

function columnOf(row: Row): Column {
  const [name = '', type = ''] = row.map(String)
  const number = (place: number) => Number(row[place])
  const isTrue = (place: number) => number(place) === 1
  const kind = kindOfType(type)
  const isVersion = type === 'timestamp'
  const collation = row[8] === null ? undefined : String(row[8])
  const size = number(2)
  const isLimited = size > 0 && !['text', 'ntext', 'image'].includes(type)
  const isKeyGiven = isTrue(6) || isTrue(9)
  return {
    name,
    kind,
    type,
    nullable: isTrue(5),
    hasDefault: isKeyGiven || isVersion,
    generated: isKeyGiven,
    computed: isTrue(7) || isVersion,
    unique: isTrue(10),
    comparison: comparisonOf(kind, collation),
    collation,
    ...((kind === 'text' || kind === 'bytes') && isLimited && { length: lengthOf(type, size) }),
    ...(['char', 'nchar', 'binary'].includes(type) && { padded: true }),
    ...(kind === 'decimal' && { precision: number(3), scale: number(4) }),
    ...(kind === 'timestamp' && { fraction: fractions[type] ?? number(4) }),
    ...(type === 'real' && { digits: 'single' as const }),
    ...(type === 'datetimeoffset' && { withZone: true }),
  }
}

/** Texts of Unicode have two bytes a character. */
function lengthOf(type: string, bytes: number): number {
  return type.startsWith('n') ? bytes / 2 : bytes
}

/** Of texts, only the binary collations tell all texts apart. */
function comparisonOf(kind: ColumnKind, collation: string | undefined): Comparison {
  if (kind === 'other') return 'unknown'
  if (kind !== 'text') return 'exact'
  return collation !== undefined && /_BIN2?(_UTF8)?$/.test(collation) ? 'exact' : 'unknown'
}
