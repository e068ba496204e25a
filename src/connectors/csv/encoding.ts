import { TextDecoder } from 'node:util'
import { ConnectorError, misconfigured } from '../kit/errors.ts'

/**
 * The encodings of CSV files: UTF-8, and every single-byte encoding that the platform decodes. In both, the ASCII
 * bytes mean ASCII characters and nothing else, which is what byte offsets of rows rely on.
 */
export interface Encoding {
  readonly name: string
  readonly singleByte: boolean
  /** Strict: invalid bytes are an error. */
  decoder(): Decoder
  /** INVALID_VALUE names a character that the encoding does not have. */
  encode(text: string): Buffer
}

/** The part of a TextDecoder that reading needs. */
interface Decoder {
  decode(bytes?: Uint8Array, options?: { readonly stream?: boolean }): string
}

export function encodingNamed(label: string): Encoding {
  if (latin1Labels.has(label.trim().toLowerCase())) return latin1
  const name = canonicalName(label)
  if (name === 'utf-8') return utf8
  const characters = charactersOf(name)
  if (characters === undefined) throw unsupported(label)
  return singleByte(name, characters, () => new TextDecoder(name, { fatal: true }))
}

/** The names that Java accepts for it; the platform takes most of them for windows-1252, as browsers do. */
const latin1Labels: ReadonlySet<string> = new Set(
  'iso-8859-1 iso8859-1 iso8859_1 iso_8859-1 iso_8859_1 iso88591 8859_1 latin1 latin-1 l1 ibm819 cp819 819'.split(
    ' ',
  ),
)

const utf8: Encoding = {
  name: 'utf-8',
  singleByte: false,
  // The reader skips the byte order mark at the beginning; elsewhere it is a character of the text.
  decoder: () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }),
  encode(text) {
    if (text.isWellFormed()) return Buffer.from(text, 'utf8')
    throw new ConnectorError(
      'invalidValue',
      'Half a surrogate pair is no character and cannot be written as utf-8',
    )
  },
}

/** Every byte is the character of the same number. */
const latin1 = singleByte(
  'iso-8859-1',
  String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte)),
  () => ({ decode: (bytes = new Uint8Array()) => asBuffer(bytes).toString('latin1') }),
)

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength)
}

function canonicalName(label: string): string {
  try {
    return new TextDecoder(label).encoding
  } catch {
    throw unsupported(label)
  }
}

function unsupported(label: string): Error {
  const fact = `"${label}" is not supported; use utf-8, iso-8859-1, windows-1252 or another single-byte encoding`
  return misconfigured(['configurationProperties', 'encoding'], fact)
}

/** The character of each byte; undefined if some character takes several bytes. */
function charactersOf(name: string): string | undefined {
  const characters = new TextDecoder(name).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte))
  return characters.length === 256 && characters[0x7f] === '\x7f' ? characters : undefined
}

function singleByte(name: string, characters: string, decoder: () => Decoder): Encoding {
  const bytes = new Map(Array.from(characters, (character, byte) => [character, byte]))
  // It stands for all bytes without a character: writing it would give an unreadable byte.
  bytes.delete('\ufffd')
  return {
    name,
    singleByte: true,
    decoder,
    encode(text) {
      const result = Buffer.allocUnsafe(text.length)
      for (let i = 0; i < text.length; i++) result[i] = bytes.get(text[i] ?? '') ?? unknown(text, i, name)
      return result
    },
  }
}

function unknown(text: string, position: number, name: string): never {
  const character = String.fromCodePoint(text.codePointAt(position) as number)
  throw new ConnectorError(
    'invalidValue',
    `The character ${character} does not exist in the encoding ${name}`,
  )
}
