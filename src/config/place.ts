/** The place of a value in a document, as a path of keys and indexes, and its text form. */
export type Place = readonly (string | number)[]

/** JSON pointer text (RFC 6901): `/mappings/0/properties/3/target`; the whole document is the empty text. */
export function printPlace(place: Place): string {
  return place.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

/** Is the place `inner` at or below `outer`? Both in text form. */
export function isWithin(inner: string, outer: string): boolean {
  return inner === outer || inner.startsWith(`${outer}/`)
}
