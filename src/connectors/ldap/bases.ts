import type { SettingName } from './configuration-schema.ts'
import { contains, type Dn, parseDn } from './dn.ts'
import { type Given, invalid } from './given.ts'

/** An entry below which others are searched. */
export interface Base {
  readonly text: string
  readonly dn: Dn
}

export function basesIn(given: Given, name: SettingName): readonly Base[] {
  return given.texts(name).map((text) => {
    const dn = parseDn(text)
    if (dn === undefined || dn.length === 0)
      throw invalid(name, `holds ${JSON.stringify(text)}, no name of an entry`)
    return { text, dn }
  })
}

/** Without those that lie below others: an entry below two would be listed twice. */
export function outermost(all: readonly Base[]): readonly Base[] {
  return all.filter(
    (one, place) =>
      !all.some(
        (other, at) =>
          at !== place && contains(other.dn, one.dn) && (other.dn.length < one.dn.length || at < place),
      ),
  )
}
