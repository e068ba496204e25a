import { type Column, type ColumnKind, columnNamed, type Row } from './column.ts'
import type { FoundTable, Session } from './dialect.ts'

/** What PostgreSQL's catalog says of a table or view. */
const columnsSql = `
  SELECT a.attname, format_type(a.atttypid, a.atttypmod), b.typname, a.attnotnull, a.atthasdef OR a.attidentity <> '',
    a.attidentity <> '' OR COALESCE(pg_get_expr(d.adbin, d.adrelid) ~ '^[\\w."]+\\(', false), a.attgenerated <> '',
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1
      AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indexprs IS NULL),
    COALESCE(c.collisdeterministic, true), c.collname,
    CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END
  FROM pg_attribute a
  JOIN pg_type t ON t.oid = a.atttypid
  JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  LEFT JOIN pg_collation c ON c.oid = a.attcollation
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`

export async function postgresColumns(
  session: Session,
  table: string,
  isExact: boolean,
  quote: (name: string) => string,
): Promise<FoundTable | undefined> {
  for (const sql of await candidates(session, table, isExact, quote)) {
    const rows = await session.rows(columnsSql, [sql])
    if (rows.length > 0) return { sql, columns: rows.map(columnOf) }
  }
  return undefined
}

/** `hr.people` is the table `people` of the schema `hr`, if there is none with a dot in its name. */
async function candidates(
  session: Session,
  table: string,
  isExact: boolean,
  quote: (name: string) => string,
): Promise<readonly string[]> {
  const dotted = table.split('.').map(quote).join('.')
  const exact = [...new Set([quote(table), dotted])]
  if (isExact) return exact
  const alike = columnNamed(
    (await postgresTables(session)).map((name) => ({ name })),
    table,
    false,
  )
  return [...exact, dotted.toLowerCase(), ...(alike ? [alike.name.split('.').map(quote).join('.')] : [])]
}

/** Those that the search path finds by their name alone, others with their schema. */
export async function postgresTables(session: Session): Promise<readonly string[]> {
  const rows = await session.rows(
    `SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname ELSE n.nspname || '.' || c.relname END
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1`,
  )
  return rows.map(([name]) => String(name))
}

const kinds: Readonly<Record<string, ColumnKind>> = {
  int2: 'integer',
  int4: 'integer',
  int8: 'integer',
  numeric: 'decimal',
  float4: 'float',
  float8: 'float',
  bool: 'boolean',
  bytea: 'bytes',
  date: 'date',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  text: 'text',
  varchar: 'text',
  bpchar: 'text',
  citext: 'text',
}

/** By the name of a base type in the catalog. */
export function kindOfType(name: string): ColumnKind {
  return kinds[name] ?? 'other'
}

function columnOf(row: Row): Column {
  const [
    name,
    type,
    base,
    notNull,
    hasDefault,
    generated,
    computed,
    unique,
    deterministic,
    collation,
    typmod,
  ] = row.map(String)
  const modifier = Number(typmod)
  const kind = kindOfType(base ?? '')
  const isExact = deterministic === 't' && base !== 'citext'
  return {
    name: name ?? '',
    kind,
    type: type ?? '',
    nullable: notNull === 'f',
    hasDefault: hasDefault === 't',
    generated: generated === 't',
    computed: computed === 't',
    unique: unique === 't',
    comparison: isExact ? 'exact' : 'unknown',
    collation: row[9] === null ? undefined : collation,
    ...(kind === 'text' && modifier >= 4 && { length: modifier - 4 }),
    ...(base === 'bpchar' && { padded: true }),
    ...(kind === 'decimal' && modifier >= 4 && decimalLimits(modifier - 4)),
    ...(kind === 'timestamp' && { fraction: modifier >= 0 ? modifier : 6 }),
    ...(base === 'float4' && { digits: 'single' as const }),
  }
}

/** The scale has eleven bits, and a sign. */
function decimalLimits(modifier: number): { readonly precision: number; readonly scale: number } {
  return { precision: (modifier >> 16) & 0xffff, scale: ((modifier & 0x7ff) ^ 1024) - 1024 }
}
