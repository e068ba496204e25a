// Plays whoever works with the table: runs statements of SQL.
//   node staff.js "UPDATE person SET unit = 'sales' WHERE id = 3"
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

const database = new DatabaseSync(`${import.meta.dirname}/data/staff.db`)
database.exec(process.argv[2] ?? readFileSync(`${import.meta.dirname}/data/staff.sql`, 'utf8'))
