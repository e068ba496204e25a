/**
 * Plays the HR department: adds or changes a row of data/hr.csv.
 *
 *   node edit.js add emp_no=1501 first_name=Ada last_name=Byron status=active …
 *   node edit.js set 1042 department=Marketing cost_centre=6300
 *   node edit.js remove 1042
 */
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('data/hr.csv', import.meta.url)

/** Cells of one line; HR uses quotes only around cells with commas. */
function parse(line) {
  return Array.from(line.matchAll(/(?:^|,)(?:"([^"]*)"|([^,]*))/g), ([, quoted, plain]) => quoted ?? plain)
}

function print(cells) {
  return cells.map((cell) => (cell.includes(',') ? `"${cell}"` : cell)).join(',')
}

function fail(message) {
  console.error(message)
  process.exit(2)
}

/** `['site=Paris']` → `{ site: 'Paris' }`, refusing columns that are not there. */
function changesFrom(assignments, header) {
  const changes = Object.fromEntries(assignments.map((text) => text.split(/=(.*)/s, 2)))
  for (const column of Object.keys(changes)) {
    if (!header.includes(column)) fail(`hr.csv has no column ${column}; it has ${header.join(', ')}`)
  }
  return changes
}

const [headerLine, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
const header = parse(headerLine)
const rows = lines.map(parse)
const [command, ...rest] = process.argv.slice(2)

function rowOf(number) {
  const row = rows.find(([employeeNumber]) => employeeNumber === number)
  return row ?? fail(`hr.csv has no employee ${number}`)
}

switch (command) {
  case 'add': {
    const person = changesFrom(rest, header)
    rows.push(header.map((column) => person[column] ?? ''))
    break
  }
  case 'set': {
    const row = rowOf(rest[0])
    for (const [column, value] of Object.entries(changesFrom(rest.slice(1), header)))
      row[header.indexOf(column)] = value
    break
  }
  case 'remove':
    rows.splice(rows.indexOf(rowOf(rest[0])), 1)
    break
  default:
    fail('Usage: node edit.js add|set|remove …; see the top of the file')
}

writeFileSync(file, [headerLine, ...rows.map(print)].map((line) => `${line}\n`).join(''))
