import type { Json } from '../../model/json.ts'
import type { Settings } from '../settings.ts'
import { text } from './column.ts'
import type { Session } from './session.ts'

export function sqliteSettings(session: Session): Settings {
  return {
    read: (key) =>
      session.read((connection) => {
        const row = connection.statement('SELECT value FROM settings WHERE key = ?').get(key)
        return row && parsed(text(row.value))
      }),
    write: (key, value) =>
      session.write((connection) => {
        const sql =
          'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'
        connection.statement(sql).run(key, JSON.stringify(value))
      }),
  }
}

function parsed(json: string): Json {
  return JSON.parse(json)
}
