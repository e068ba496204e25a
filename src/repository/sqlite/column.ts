import { Problem } from '../../model/problem.ts'

/** The columns of a row as the schema declares them. A value of another type is an error: another program changed the store. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value
  throw damaged('text', value)
}

export function number(value: unknown): number {
  if (typeof value === 'number') return value
  throw damaged('a number', value)
}

/** A text, or nothing where the column is null or the row is missing. */
export function optionalText(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : text(value)
}

export function optionalNumber(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : number(value)
}

function damaged(expected: string, value: unknown): Problem {
  return new Problem(
    'INTERNAL',
    `The store is damaged: ${typeof value} stands where its schema has ${expected}`,
  )
}
