import { type Finding, FindingError } from '../../model/finding.ts'

/**
 * CONFIGURATION: something in a connector's document is wrong. The message begins with the place for whoever has only the message.
 * `fact` follows the name of the member: `is empty; it names the file`.
 */
export function misconfigured(place: readonly string[], fact: string): FindingError {
  const finding: Finding = { place, message: `${place.at(-1)} ${fact}` }
  return new FindingError('CONFIGURATION', finding, `${place.join('/')} ${fact}`, finding)
}
