import { type Finding, FindingError } from '../../model/finding.ts'

/**
 * CONFIGURATION: an error in a connector's document. The message begins with the place, for readers who see only the message.
 * `fact` follows the name of the member: `is empty; it names the file`.
 */
export function misconfigured(place: readonly string[], fact: string): FindingError {
  const finding: Finding = { place, message: `${place.at(-1)} ${fact}` }
  return new FindingError('CONFIGURATION', finding, `${place.join('/')} ${fact}`, finding)
}
