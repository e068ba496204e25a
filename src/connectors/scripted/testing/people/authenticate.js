const found = connection.first(
  `SELECT id FROM ${configuration.propertyBag.table} WHERE login = ? AND password = ?`,
  [username, password],
)
found ? found.id : null
