/** Names of entries of a directory (DN, RFC 4514) written from values; reading and comparing them is the LDAP connector's. */

/**
 * A value for a place in a name, e.g. after `cn=`. Special characters are written as hexadecimal pairs, which no parser can mistake;
 * control characters, too: servers drop tabs and line breaks beside a separator.
 */
export function escapeDnValue(value: string): string {
  const inner = value.replace(/[\p{Cc}",+;<>\\=]/gu, hex)
  return inner.replace(/^[ #]|[ ]$/g, hex)
}

/**
 * The function `dn` of scripts: `dn({ cn: 'Smith, Ann' }, 'ou=people', base)` is `cn=Smith\2c Ann,ou=people,dc=example,dc=com`.
 * Objects are values, which are escaped; texts are names already, which stay as they are. An object with several members is one part
 * of a name, joined by `+`. What would make another name than it says is an error: no value, a list, a text without `=`.
 */
export function entryName(parts: readonly unknown[]): string {
  if (parts.length === 0) throw misused('has no part')
  return parts.map(partOf).join(',')
}

function partOf(part: unknown): string {
  if (typeof part === 'string') {
    const name = part.trim()
    if (/^[^=,]+=/.test(name) && !name.endsWith(',')) return name
    throw misused(
      `has the part ${JSON.stringify(part)}, which is no name; values stand in objects: { cn: 'Ann' }`,
    )
  }
  if (typeof part !== 'object' || part === null || Array.isArray(part))
    throw misused(`has a part that is neither a name nor an object: ${part}`)
  const members = Object.entries(part)
  if (members.length === 0) throw misused('has an object without members')
  return members.map(([type, value]) => `${typeOf(type)}=${escapeDnValue(textOf(type, value))}`).join('+')
}

function typeOf(type: string): string {
  if (/^([A-Za-z][A-Za-z0-9-]*|\d+(\.\d+)+)$/.test(type)) return type
  throw misused(`has ${JSON.stringify(type)}, which is no name of an attribute`)
}

/** No message shows a value: it may be a secret. */
function textOf(type: string, value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'string' && value !== '') return value
  const fact = Array.isArray(value) ? 'is a list' : value === '' ? 'is empty' : 'has no value that is a text'
  throw misused(`cannot write a name: ${type} ${fact}`)
}

function misused(fact: string): TypeError {
  return new TypeError(`dn(…) ${fact}`)
}

function hex(character: string): string {
  // Of two bytes, and no parser minds them.
  if (character > '\x7f') return character
  return `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}
