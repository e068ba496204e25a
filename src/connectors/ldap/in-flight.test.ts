import { describe, expect, it } from 'vitest'
import type { ConnectorWrite } from '../kit/write.ts'
import { batches, newEntryOf } from './in-flight.ts'

/** `-…` is a delete; `name → other` a new entry that names another one. */
const writeOf = (text: string): ConnectorWrite => {
  const [dn = '', manager] = text.split(' → ')
  return text.startsWith('-')
    ? { operation: 'delete', id: text }
    : { operation: 'create', attributes: { dn, ...(manager && { manager }), sn: 'uid=a,ou=x' } }
}
const entryOf = (write: ConnectorWrite) =>
  write.operation === 'create' ? newEntryOf(write.attributes, (name) => name === 'manager') : undefined
const textOf = (write: ConnectorWrite) =>
  write.operation === 'create' ? String(write.attributes.dn) : write.id

describe('writes of a page that are sent together', () => {
  it.each([
    ['entries side by side', ['uid=a,ou=x', 'uid=b,ou=x', 'uid=c,ou=y'], [3]],
    ['an entry and one below it, which waits', ['ou=x', 'uid=b,ou=x', 'uid=c,ou=x'], [1, 2]],
    ['an entry and one above it, which comes too late', ['uid=b,ou=x', 'ou=x'], [1, 1]],
    ['one far below another', ['ou=x', 'uid=a,ou=z,ou=X'], [1, 1]],
    ['a name twice, whatever its case', ['uid=a,ou=x', 'UID=A, ou=X'], [1, 1]],
    [
      'an entry that names one before it, and waits',
      ['uid=a,ou=x', 'uid=b,ou=x → UID=A, ou=x', 'uid=c,ou=x'],
      [1, 2],
    ],
    ['an entry that names one that is not new', ['uid=a,ou=x', 'uid=b,ou=x → uid=z,ou=x'], [2]],
    ['other writes, each alone and at its place', ['uid=a', '-1', '-2', 'uid=b', 'uid=c'], [1, 1, 1, 2]],
  ] as const)('%s', (_, texts, sizes) => {
    const found = batches(texts.map(writeOf), entryOf)
    expect(found.flat().map(textOf)).toEqual(texts.map((text) => text.split(' → ')[0]))
    expect(found.map(({ length }) => length)).toEqual(sizes)
  })
})
