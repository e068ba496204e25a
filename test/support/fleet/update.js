const { kinds, writeList } = require('fleet/kinds')
const { table, name, columns, list } = kinds[objectClass]
const key = Number(uid)
const given = Object.entries(columns).filter(([attribute]) => attribute in attributes)
const sets = given.map(([, column]) => `${column} = ?`)
const cells = given.map(([attribute]) => attributes[attribute])
if (id !== null) {
  sets.push(`${name} = ?`)
  cells.push(id)
}
if (attributes.__PASSWORD__) {
  sets.push('password = ?')
  cells.push(attributes.__PASSWORD__)
}
if (!connection.first(`SELECT id FROM ${table} WHERE id = ?`, [key]))
  throw new UnknownUidException(`there is no ${uid} in ${table}`)
if (sets.length > 0)
  connection.execute(`UPDATE ${table} SET ${sets.join(', ')} WHERE id = ?`, [...cells, key])
if (list && list.attribute in attributes) writeList(connection, list, key, attributes[list.attribute] ?? [])
uid
