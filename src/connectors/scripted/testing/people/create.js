const table = configuration.propertyBag.table
const { mail = null, name = null, photo, phones = [] } = attributes
connection.execute(`INSERT INTO ${table} (login, mail, name, photo, password) VALUES (?, ?, ?, ?, ?)`, [
  id,
  mail,
  name,
  photo ? { base64: photo } : null,
  attributes.__PASSWORD__ ?? null,
])
const { id: key } = connection.first(`SELECT id FROM ${table} WHERE login = ?`, [id])
for (const phone of new Set(phones))
  connection.execute(`INSERT INTO ${table}_phones (person, phone) VALUES (?, ?)`, [key, phone])
String(key)
