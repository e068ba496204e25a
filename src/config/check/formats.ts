/** Texts with their own grammar. */
import { parseFilter } from '../../model/filter/parse.ts'
import { Problem } from '../../model/problem.ts'

/** The error in a text of this format, as the end of a sentence; undefined if there is none. */
export function formatFault(format: string, text: string): string | undefined {
  if (format === 'regex') return regularExpressionFault(text)
  return format === 'query-filter' ? filterFault(text) : undefined
}

function regularExpressionFault(text: string): string | undefined {
  try {
    new RegExp(text)
    return undefined
  } catch (error) {
    return `is not a regular expression: ${error instanceof Error ? error.message.replace(/^.*: /s, '') : error}`
  }
}

function filterFault(text: string): string | undefined {
  try {
    parseFilter(text)
    return undefined
  } catch (error) {
    if (error instanceof Problem && error.code === 'BAD_FILTER')
      return `is not a query filter: ${error.message}`
    throw error
  }
}
