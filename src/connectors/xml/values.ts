import { ConnectorError } from '../kit/errors.ts'
import type { NativeAttribute } from '../kit/schema.ts'
import { Secret, type Value, valuesOf } from '../kit/values.ts'

/**
 * Values of attributes, and the texts that stand for them in a document. A text of white space alone is no value: formatting a
 * document adds such text.
 */

/** Throws the fact that is wrong with the text. */
export function valueOfText(text: string, { type, secret }: NativeAttribute): Value {
  if (secret) return new Secret(text)
  const bare = text.trim()
  if (type === 'boolean') {
    if (bare === 'true' || bare === '1') return true
    if (bare === 'false' || bare === '0') return false
    throw notOf('true or false')
  }
  if (type === 'integer') {
    if (!/^[+-]?\d+$/.test(bare)) throw notOf('a whole number')
    const number = Number(bare)
    return Number.isSafeInteger(number) ? number : String(BigInt(bare.replace('+', '')))
  }
  if (type === 'number') {
    if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(bare)) throw notOf('a number')
    return Number(bare)
  }
  if (type === 'bytes') {
    const plain = bare.replace(/\s/g, '')
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(plain) || plain.length % 4 !== 0) throw notOf('Base64')
    return new Uint8Array(Buffer.from(plain, 'base64'))
  }
  return text
}

/** The value of an attribute with these texts; undefined: none. */
export function valueOfTexts(texts: readonly string[], attribute: NativeAttribute): Value | undefined {
  const values = texts.filter(isValue).map((text) => valueOfText(text, attribute))
  if (values.length === 0) return undefined
  if (attribute.multivalued) return values
  if (values.length > 1) throw new Error('has several values; the schema allows one')
  return values[0]
}

export function isValue(text: string): boolean {
  return /\S/.test(text)
}

/** The texts that a document holds for a value, as far as they are values. */
export function textsOf(value: Value, attribute: NativeAttribute): readonly string[] {
  const values = valuesOf(value)
  if (values.length > 1 && !attribute.multivalued)
    throw invalid(attribute, `gets ${values.length} values; the schema allows one`)
  return values.flatMap((one) => {
    const text = textOf(one, attribute)
    if (!isValue(text)) return []
    try {
      valueOfText(text, attribute)
    } catch (error) {
      throw invalid(attribute, error instanceof Error ? error.message : String(error))
    }
    return [text]
  })
}

export function heldValue(value: Value, attribute: NativeAttribute): Value {
  return valueOfTexts(textsOf(value, attribute), attribute) ?? null
}

function textOf(value: Value, attribute: NativeAttribute): string {
  const plain = value instanceof Secret ? value.reveal() : value
  if (plain instanceof Uint8Array) return Buffer.from(plain).toString('base64')
  if (typeof plain === 'number' || typeof plain === 'boolean') return String(plain)
  if (typeof plain !== 'string')
    throw invalid(attribute, 'gets an object or a list as a value, which XML text cannot hold')
  if (!/^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u.test(plain))
    throw invalid(attribute, 'gets a text with a character that XML cannot hold')
  return plain
}

function invalid({ name }: NativeAttribute, fact: string): ConnectorError {
  return new ConnectorError('invalidValue', `${name} ${fact}`, { attribute: name })
}

function notOf(what: string): Error {
  return new Error(`is not ${what}`)
}
