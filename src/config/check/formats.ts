/** Texts with their own grammar. */
import { parseFilter } from '../../model/filter/parse.ts'
import { messageOf, Problem } from '../../model/problem.ts'

/** The error in a text of this format, as the end of a sentence; undefined if there is none. */
export function formatFault(format: string, text: string): string | undefined {
  try {
    if (format === 'regex') new RegExp(text)
    if (format === 'query-filter') parseFilter(text)
    return undefined
  } catch (error) {
    if (format === 'regex') return `is not a regular expression: ${messageOf(error).replace(/^.*: /s, '')}`
    if (error instanceof Problem && error.code === 'BAD_FILTER')
      return `is not a query filter: ${error.message}`
    throw error
  }
}
