const { kinds, writeList } = require('fleet/kinds')
const { table, list } = kinds[objectClass]
if (list) writeList(connection, list, Number(uid), [])
if (connection.execute(`DELETE FROM ${table} WHERE id = ?`, [Number(uid)]) === 0)
  throw new UnknownUidException(`there is no ${uid} in ${table}`)
