const table = configuration.propertyBag.table
if (connection.execute(`DELETE FROM ${table} WHERE CAST(id AS CHAR(20)) = ?`, [uid]) === 0)
  throw new UnknownUidException(`there is nobody ${uid}`)
connection.execute(`DELETE FROM ${table}_phones WHERE person = ?`, [Number(uid)])
