import type { Ask } from '../../scripts/engine.ts'

/**
 * `connection` of scripts. Values never stand in the text of a statement: each `?` in it is the place of one parameter.
 */
export function connectionTo(ask: Ask) {
  const asked = (name: string, statement: unknown, parameters: unknown): unknown =>
    ask(name, [text(statement), checked(parameters)])
  return {
    /** All rows, as objects. */
    query: (statement: unknown, parameters?: unknown) => asked('query', statement, parameters),
    /** The first row, or null. */
    first: (statement: unknown, parameters?: unknown) => asked('first', statement, parameters),
    /** How many rows the statement concerned. */
    execute: (statement: unknown, parameters?: unknown) => asked('execute', statement, parameters),
    /** Calls `visit` with each row, and holds a few of them at a time; ends when it returns false. Returns how many it has visited. */
    eachRow(statement: unknown, ...rest: readonly unknown[]): number {
      const visit = rest.at(-1)
      if (!isVisit(visit)) throw new TypeError('eachRow needs a function for the rows at its end')
      return visitRows(ask, asked('open', statement, rest.length > 1 ? rest[0] : []), visit)
    },
  }
}

type Visit = (row: unknown) => unknown

function isVisit(value: unknown): value is Visit {
  return typeof value === 'function'
}

function visitRows(ask: Ask, cursor: unknown, visit: Visit): number {
  let count = 0
  for (;;) {
    const rows = ask('next', [cursor])
    if (!Array.isArray(rows) || rows.length === 0) return count
    for (const row of rows) {
      count++
      if (visit(row) === false) {
        ask('close', [cursor])
        return count
      }
    }
  }
}

function text(statement: unknown): string {
  if (typeof statement === 'string') return statement
  throw new TypeError('the statement must be a text')
}

/** An absent value would become NULL in silence. */
function checked(parameters: unknown): readonly unknown[] {
  if (parameters === undefined || parameters === null) return []
  if (!Array.isArray(parameters)) throw new TypeError('the parameters must be a list')
  return parameters.map((value: unknown, place) => {
    if (value === undefined)
      throw new TypeError(`parameter ${place + 1} is undefined; give null to write NULL`)
    return value instanceof Date ? { timestamp: value.toISOString() } : value
  })
}
