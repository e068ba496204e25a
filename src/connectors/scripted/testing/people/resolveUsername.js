const found = connection.first(`SELECT id FROM ${configuration.propertyBag.table} WHERE login = ?`, [
  username,
])
found ? found.id : null
