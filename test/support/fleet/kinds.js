// What the scripts have in common: tables and columns of the object classes, and their lists in tables of their own.
exports.kinds = {
  __ACCOUNT__: {
    table: 'people',
    name: 'login',
    columns: { firstname: 'first_name', lastname: 'last_name', email: 'email', organization: 'organization' },
    list: { attribute: 'cars', table: 'cars', owner: 'person', columns: ['year', 'make', 'model'] },
  },
  __GROUP__: {
    table: 'teams',
    name: 'title',
    columns: { description: 'description' },
    list: { attribute: 'members', table: 'team_members', owner: 'team', columns: ['login'] },
  },
  organization: { table: 'organizations', name: 'title', columns: { description: 'description' } },
}

/** Replaces the list of an object. */
exports.writeList = (connection, list, key, values) => {
  connection.execute(`DELETE FROM ${list.table} WHERE ${list.owner} = ?`, [key])
  values.forEach((value, place) => {
    const cells = list.columns.map((column) => value[column] ?? null)
    const marks = cells.map(() => '?').join(', ')
    connection.execute(
      `INSERT INTO ${list.table} (${list.owner}, place, ${list.columns.join(', ')}) VALUES (?, ?, ${marks})`,
      [key, place, ...cells],
    )
  })
}
