import type { Json } from '../../model/json.ts'
import type { Settings } from '../settings.ts'
import { text } from './column.ts'
import type { Row } from './connection.ts'
import type { Session } from './session.ts'

export function sqliteSettings(session: Session): Settings {
  return {
    read: (key) => session.row(jsonOf, 'SELECT value FROM settings WHERE key = ?', key),
    async write(key, value) {
      const sql =
        'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'
      await session.run(sql, key, JSON.stringify(value))
    },
  }
}

function jsonOf({ value }: Row): Json {
  return JSON.parse(text(value))
}
