import { type Column, type ColumnKind, columnNamed, isMadeUp, type Row } from './column.ts'
import type { FoundTable, Session } from './dialect.ts'

/** What SQLite says of a table or view. Its types are those that were declared; values may be of others. */
export async function sqliteColumns(
  session: Session,
  table: string,
  isExact: boolean,
  quote: (name: string) => string,
): Promise<FoundTable | undefined> {
  const found = columnNamed(
    (await sqliteTables(session)).map((name) => ({ name })),
    table,
    isExact,
  )
  if (!found) return undefined
  const { name } = found
  const rows = await session.rows(
    'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid',
    [name],
  )
  const singles = await session.rows(
    `SELECT c.name, c.coll FROM pragma_index_list(?1) l JOIN pragma_index_xinfo(l.name) c
     WHERE l."unique" = 1 AND l.partial = 0 AND c.key = 1
       AND (SELECT count(*) FROM pragma_index_xinfo(l.name) k WHERE k.key = 1) = 1`,
    [name],
  )
  const [stored] = await session.rows('SELECT sql FROM sqlite_schema WHERE name = ?1', [name])
  const facts = {
    unique: new Set(singles.map(([column]) => String(column))),
    definition: String(stored?.[0] ?? ''),
    keys: rows.filter((row) => Number(row[4]) > 0).length,
  }
  return { sql: quote(name), columns: rows.map((row) => columnOf(row, facts)) }
}

export async function sqliteTables(session: Session): Promise<readonly string[]> {
  const rows = await session.rows(
    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name",
  )
  return rows.map(([name]) => String(name))
}

interface TableFacts {
  readonly unique: ReadonlySet<string>
  readonly definition: string
  readonly keys: number
}

function columnOf([name, declared, notNull, preset, key, hidden]: Row, facts: TableFacts): Column {
  const type = String(declared)
  const text = String(name)
  const isOnlyKey = Number(key) === 1 && facts.keys === 1
  const isRowId = isOnlyKey && /^integer$/i.test(type) && !/without\s+rowid/i.test(facts.definition)
  return {
    name: text,
    kind: kindOf(type),
    type,
    nullable: Number(notNull) === 0 && !isRowId,
    hasDefault: preset !== null || isRowId,
    generated: isRowId || (preset !== null && isMadeUp(String(preset))),
    computed: Number(hidden) > 1,
    unique: isOnlyKey || facts.unique.has(text),
    comparison: comparesExactly(facts.definition) ? 'exact' : 'unknown',
    // Numbers with a point are floating: what a double does not hold is refused.
    ...(kindOf(type) === 'decimal' && { precision: 15 }),
  }
}

/** The catalog does not name the collation of a column. */
function comparesExactly(definition: string): boolean {
  return !/\bcollate\b/i.test(definition.replace(/\bcollate\s+"?binary"?/gi, ''))
}

/** The rules of affinity, and booleans, which SQLite has not. Dates are what was stored: text. */
export function kindOf(type: string): ColumnKind {
  if (/bool/i.test(type)) return 'boolean'
  if (/int/i.test(type)) return 'integer'
  if (/char|clob|text|date|time/i.test(type)) return 'text'
  if (/blob/i.test(type)) return 'bytes'
  if (/real|floa|doub/i.test(type)) return 'float'
  return type === '' ? 'other' : 'decimal'
}
