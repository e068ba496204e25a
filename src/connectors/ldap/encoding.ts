import { Attribute } from 'ldapts'
import { ConnectorError } from '../kit/errors.ts'
import { type Attributes, isValueList, Secret, type Value, valuesOf } from '../kit/values.ts'
import { booleanSyntax, type LdapAttribute, nameSyntax } from './attributes.ts'
import { keyOf, parseDn } from './dn.ts'

/** Values as a server takes them. */

/** Values as they are sent: no empty text, no value twice. */
export function encoded(
  name: string,
  value: Value,
  definition: LdapAttribute | undefined,
): readonly Buffer[] {
  const isBoolean = definition?.syntax === booleanSyntax
  return distinct(value, definition).map((one) => {
    if (one instanceof Uint8Array) return Buffer.from(one)
    const text = textValue(one)
    if (text === undefined)
      throw new ConnectorError('invalidValue', `${name} cannot hold an object`, { attribute: name })
    return Buffer.from(isBoolean ? text.toUpperCase() : text)
  })
}

/** The values that an attribute will have: servers know neither empty texts nor the same value twice. */
export function distinct(value: Value, definition: LdapAttribute | undefined): readonly Value[] {
  const kept = new Map<string, Value>()
  for (const one of valuesOf(value)) {
    const text = one instanceof Uint8Array ? `bytes ${Buffer.from(one).toString('base64')}` : textValue(one)
    if (text === '') continue
    const key = folded(text ?? JSON.stringify(one), definition)
    kept.set(key, kept.get(key) ?? one)
  }
  return [...kept.values()]
}

/** Values that the server takes for one are one text. */
export function folded(text: string, definition: LdapAttribute | undefined): string {
  const dn = definition?.syntax === nameSyntax ? parseDn(text) : undefined
  if (dn) return keyOf(dn)
  if (definition?.comparison !== 'ignoreCase') return text
  // Blanks at the ends, and more than one between, say nothing (RFC 4518, section 2.6.1).
  return text.toLowerCase().trim().replaceAll(/ +/g, ' ')
}

/** Undefined for what is no single value. */
export function textValue(value: Value): string | undefined {
  if (value instanceof Secret) return value.reveal()
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE'
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : undefined
}

export function textOf(value: Value): Buffer {
  return Buffer.from(textValue(value) ?? '')
}

export function attributeOf(type: string, values: readonly Buffer[]): Attribute {
  return new Attribute({ type, values: [...values] })
}

export function attributeNamed(attributes: Attributes, name: string): Value | undefined {
  const found = Object.entries(attributes).find(([one]) => one.toLowerCase() === name.toLowerCase())
  return isValueList(found?.[1]) && found[1].length === 0 ? undefined : found?.[1]
}
