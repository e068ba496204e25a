import type { TestDatabase } from '../../src/connectors/sql/testing/server.ts'
import type { PeoplePlace, Person } from './changing-people.ts'

/** Whose writes are those of Syncline. */
export const synclineAccount = 'syncline'

export interface PeopleTable extends PeoplePlace {
  readonly table: string
  /** Names of rows that Syncline wrote. */
  writtenBySyncline(): Promise<readonly string[]>
}

/** People of a table of PostgreSQL, whose key is the name; the database stamps each write, and notes who made it. */
export async function tablePeople(database: TestDatabase, table: string): Promise<PeopleTable> {
  const { run } = database
  const log = `${table}_writes`
  for (const sql of [
    `CREATE TABLE ${table} (name text PRIMARY KEY, number text NOT NULL UNIQUE, unit text, mail text, changed timestamptz)`,
    `CREATE TABLE ${log} (writer text, name text)`,
    `CREATE FUNCTION ${table}_stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changed := clock_timestamp(); RETURN NEW; END'`,
    `CREATE FUNCTION ${table}_note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO ${log} VALUES (current_user, COALESCE(NEW.name, OLD.name)); RETURN NULL; END'`,
    `CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_stamp()`,
    `CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION ${table}_note()`,
    `GRANT ALL ON ${table}, ${log} TO ${synclineAccount}`,
  ])
    await run(sql)
  const place: PeopleTable = {
    table,
    units: ['people', 'groups'],
    async create({ name, number, unit, mail }) {
      await run(`INSERT INTO ${table} VALUES ($1, $2, $3, $4)`, [name, number, unit, mail])
    },
    async change(before, { name, unit, mail }) {
      const sql = `UPDATE ${table} SET name = $1, unit = $2, mail = $3 WHERE name = $4`
      await run(sql, [name, unit, mail, before.name])
    },
    async delete({ name }) {
      await run(`DELETE FROM ${table} WHERE name = $1`, [name])
    },
    undelete: (person) => place.create(person),
    async people() {
      const rows = await run(`SELECT number, name, unit, mail FROM ${table}`)
      return rows.map((row): Person => {
        const [number = '', name = '', unit = '', mail = ''] = row.map(String)
        return { number, name, unit, mail }
      })
    },
    async writtenBySyncline() {
      const rows = await run(`SELECT name FROM ${log} WHERE writer = $1 ORDER BY name`, [synclineAccount])
      return rows.map(([name]) => String(name))
    },
  }
  return place
}
