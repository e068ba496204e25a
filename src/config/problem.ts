/**
 * Configuration problems: made from a place in a document, and written for people. Later stages (mapping compiler,
 * script check) report through the same two functions, so that all problems look alike.
 */
import { type Place, printPlace } from './place.ts'
import type { ConfigurationDocument, ConfigurationProblem } from './project.ts'

export interface ProblemFacts {
  readonly severity?: ConfigurationProblem['severity']
  /** Whether the name of a property is wrong or its value. */
  readonly what?: 'key' | 'value'
  readonly found?: string | undefined
  readonly allowed?: readonly string[] | undefined
  readonly suggestion?: string | undefined
}

/** A problem at a place of a document; `message` is one sentence that says what is wrong and what to do. */
export function locateProblem(
  document: Pick<ConfigurationDocument, 'file' | 'locate'>,
  place: Place,
  message: string,
  { severity = 'error', what, ...facts }: ProblemFacts = {},
): ConfigurationProblem {
  const position = document.locate(place, what)
  return { severity, file: document.file, ...position, pointer: printPlace(place), message, ...facts }
}

/** `conf/sync.json:14:23 /mappings/0/policies/2/situation: "CONFRIMED" is not a situation; did you mean CONFIRMED?` */
export function formatProblem({
  severity,
  file,
  line,
  column,
  pointer,
  message,
}: ConfigurationProblem): string {
  const place = `${file}:${line}:${column}${pointer === '' ? '' : ` ${pointer}`}`
  return `${place}: ${severity === 'warning' ? 'warning: ' : ''}${message}`
}
