const { kinds, writeList } = require('fleet/kinds')
const { table, name, columns, list } = kinds[objectClass]
const given = Object.entries(columns).filter(([attribute]) => attribute in attributes)
const names = [name, ...given.map(([, column]) => column)]
const cells = [id, ...given.map(([attribute]) => attributes[attribute])]
if (objectClass === '__ACCOUNT__') {
  names.push('password')
  cells.push(attributes.__PASSWORD__ ?? null)
}
connection.execute(
  `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
  cells,
)
const { id: key } = connection.first(`SELECT id FROM ${table} WHERE ${name} = ?`, [id])
if (list) writeList(connection, list, key, attributes[list.attribute] ?? [])
key
