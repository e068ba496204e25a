import { ConnectorError } from '../../kit/errors.ts'
import { type Value, valuesOf } from '../../kit/values.ts'
import type { AttributeChange } from '../../kit/write.ts'
import { nameAttribute } from '../attributes.ts'
import { type Dn, parseDn, printDn, type Rdn } from '../dn.ts'
import { textValue } from '../encoding.ts'

/**
 * In Active Directory the attribute that names an entry, mostly `cn`, has one value, that of the first part of the name. So has
 * `name`. Neither can be set: a new value is a rename.
 */
export function isNaming(attribute: string, [rdn = []]: Dn): boolean {
  const lower = attribute.toLowerCase()
  return lower === 'name' || rdn.some(({ type }) => type.toLowerCase() === lower)
}

/** What a write says twice, it must say in one spelling. */
export function requireSameName(attribute: string, value: Value | undefined, [rdn]: Dn): void {
  const text = textOf(value)
  const inName = rdn?.[0]?.value ?? ''
  if (text === inName) return
  throw new ConnectorError(
    'invalidValue',
    `${attribute} is ${JSON.stringify(text)}, and the name of the entry says ${JSON.stringify(inName)}; in Active Directory they are one`,
    { attribute },
  )
}

/** The changes, with a new value of such an attribute as the new name that it is. */
export function renaming(changes: readonly AttributeChange[], name: Dn): readonly AttributeChange[] {
  const naming = changes.filter(({ attribute }) => attribute !== nameAttribute && isNaming(attribute, name))
  if (naming.length === 0) return changes
  const others = changes.filter((change) => !naming.includes(change))
  const renamed = others.find(({ attribute }) => attribute === nameAttribute)
  const wanted = renamed?.kind === 'set' ? parseDn(textOf(renamed.value) ?? '') : undefined
  if (renamed) {
    for (const change of naming) requireSameName(change.attribute, givenBy(change), wanted ?? [])
    return others
  }
  const [first, ...more] = naming
  if (!first) return changes
  const text = textOf(givenBy(first))
  if (text === undefined || text === '')
    throw new ConnectorError('invalidValue', `${first.attribute} names the entry and cannot be empty`, {
      attribute: first.attribute,
    })
  const [rdn, ...above] = name
  const named: Rdn = [{ type: rdn?.[0]?.type ?? 'CN', value: text }]
  for (const change of more) requireSameName(change.attribute, givenBy(change), [named])
  return [{ attribute: nameAttribute, kind: 'set', value: printDn([named, ...above]) }, ...others]
}

function givenBy(change: AttributeChange): Value | undefined {
  if (change.kind === 'set') return change.value
  return change.kind === 'delta' ? change.add : undefined
}

/** Of one value; undefined for none, and for several. */
function textOf(value: Value | undefined): string | undefined {
  const [one, ...others] = valuesOf(value)
  return one === undefined || others.length > 0 ? undefined : textValue(one)
}
