import { describe, expect, it } from 'vitest'
import type { ConnectorWrite } from '../kit/write.ts'
import { parseDn } from './dn.ts'
import { batches } from './in-flight.ts'

const writeOf = (text: string): ConnectorWrite =>
  text.startsWith('-') ? { operation: 'delete', id: text } : { operation: 'create', attributes: { dn: text } }
const nameOf = (write: ConnectorWrite) =>
  write.operation === 'create' ? parseDn(String(write.attributes.dn)) : undefined
const textOf = (write: ConnectorWrite) => (write.operation === 'create' ? write.attributes.dn : write.id)

describe('writes of a page that are sent together', () => {
  it.each([
    ['entries side by side', ['uid=a,ou=x', 'uid=b,ou=x', 'uid=c,ou=y'], [3]],
    ['an entry and one below it, which waits', ['ou=x', 'uid=b,ou=x', 'uid=c,ou=x'], [1, 2]],
    ['an entry and one above it, which comes too late', ['uid=b,ou=x', 'ou=x'], [1, 1]],
    ['one far below another', ['ou=x', 'uid=a,ou=z,ou=X'], [1, 1]],
    ['a name twice, whatever its case', ['uid=a,ou=x', 'UID=A, ou=X'], [1, 1]],
    ['other writes, each alone and at its place', ['uid=a', '-1', '-2', 'uid=b', 'uid=c'], [1, 1, 1, 2]],
  ] as const)('%s', (_, texts, sizes) => {
    const found = batches(texts.map(writeOf), nameOf)
    expect(found.flat().map(textOf)).toEqual(texts)
    expect(found.map(({ length }) => length)).toEqual(sizes)
  })
})
