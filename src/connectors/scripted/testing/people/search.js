// A search script as docs/scripted.md describes one: columns by attribute, and a condition made of query().
const columns = { __UID__: 'CAST(id AS CHAR(20))', __NAME__: 'login', mail: 'mail', name: 'name' }
const operators = {
  EQUALS: '=',
  GREATERTHAN: '>',
  GREATERTHANOREQUAL: '>=',
  LESSTHAN: '<',
  LESSTHANOREQUAL: '<=',
}
const patterns = { CONTAINS: ['%', '%'], STARTSWITH: ['', '%'], ENDSWITH: ['%', ''] }
const parameters = []

function condition({ operation, left, right }) {
  if (operation === 'AND' || operation === 'OR')
    return `(${condition(left)} ${operation} ${condition(right)})`
  const column = columns[left]
  if (!column) throw new BadRequestException(`people cannot be searched by ${left}`)
  if (operators[operation]) {
    parameters.push(String(right))
    return `${column} ${operators[operation]} ?`
  }
  const [before, after] = patterns[operation]
  parameters.push(before + String(right).replace(/[!%_]/g, '!$&') + after)
  return `${column} LIKE ? ESCAPE '!'`
}

if (objectClass !== '__ACCOUNT__')
  throw new UnsupportedOperationException(`there are no objects of ${objectClass}`)
const asked = query()
const where = asked ? `WHERE ${condition(asked)}` : ''
connection.eachRow(
  `SELECT id, login, mail, name, photo FROM ${configuration.propertyBag.table} ${where} ORDER BY id`,
  parameters,
  (row) =>
    handler({
      uid: row.id,
      id: row.login,
      attributes: {
        mail: row.mail,
        name: row.name,
        photo: row.photo,
        phones: connection
          .query(
            `SELECT phone FROM ${configuration.propertyBag.table}_phones WHERE person = ? ORDER BY phone`,
            [row.id],
          )
          .map(({ phone }) => phone),
      },
    }),
)
