const table = configuration.propertyBag.table
const { phones, ...own } = attributes
const columns = { mail: 'mail', name: 'name', photo: 'photo', __PASSWORD__: 'password' }
const changed = Object.keys(own).filter((attribute) => columns[attribute])
const values = changed.map((attribute) =>
  attribute === 'photo' && own.photo !== null ? { base64: own.photo } : own[attribute],
)
if (!connection.first(`SELECT id FROM ${table} WHERE CAST(id AS CHAR(20)) = ?`, [uid]))
  throw new UnknownUidException(`there is nobody ${uid}`)
const sets = changed.map((attribute) => `${columns[attribute]} = ?`)
if (id !== null) {
  sets.push('login = ?')
  values.push(id)
}
if (sets.length > 0)
  connection.execute(`UPDATE ${table} SET ${sets.join(', ')} WHERE id = ?`, [...values, Number(uid)])
if (phones !== undefined) {
  connection.execute(`DELETE FROM ${table}_phones WHERE person = ?`, [Number(uid)])
  for (const phone of new Set(phones ?? []))
    connection.execute(`INSERT INTO ${table}_phones (person, phone) VALUES (?, ?)`, [Number(uid), phone])
}
uid
