const { kinds } = require('fleet/kinds')
const kind = kinds[objectClass]
if (!kind) throw new UnsupportedOperationException(`there are no objects of ${objectClass}`)
const { table, name, columns, list } = kind
const named = { __UID__: 'o.id', __NAME__: `o.${name}` }
const parameters = []

const condition = ({ operation, left, right }) => {
  if (operation === 'AND' || operation === 'OR')
    return `(${condition(left)} ${operation} ${condition(right)})`
  const column = named[left] ?? `o.${columns[left]}`
  if (operation !== 'EQUALS') return '1 = 1'
  if (left === '__UID__' && !/^\d{1,9}$/.test(right)) return '1 = 0'
  parameters.push(left === '__UID__' ? Number(right) : right)
  return `${column} = ?`
}

const asked = query()
const own = ['id', name, ...Object.values(columns)].map((column) => `o.${column}`)
const lists = list ? list.columns.map((column) => `l.${column}`) : []
const join = list ? `LEFT JOIN ${list.table} l ON l.${list.owner} = o.id` : ''
const order = list ? 'ORDER BY o.id, l.place' : 'ORDER BY o.id'
const where = asked ? `WHERE ${condition(asked)}` : ''

let current
const handOver = () => {
  if (current) handler(current)
}
connection.eachRow(
  `SELECT ${[...own, ...lists].join(', ')} FROM ${table} o ${join} ${where} ${order}`,
  parameters,
  (row) => {
    if (current?.uid !== row.id) {
      handOver()
      const attributes = list ? { [list.attribute]: [] } : {}
      for (const [attribute, column] of Object.entries(columns)) attributes[attribute] = row[column]
      current = { uid: row.id, id: row[name], attributes }
    }
    if (list && row[list.columns[0]] !== null)
      current.attributes[list.attribute].push(
        Object.fromEntries(list.columns.map((column) => [column, row[column]])),
      )
  },
)
handOver()
