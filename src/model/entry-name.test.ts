import { describe, expect, it } from 'vitest'
import { entryName } from './entry-name.ts'

describe('the name of an entry', () => {
  it.each<[string, readonly unknown[]]>([
    [
      'cn=Smith\\2c Ann,ou=people,dc=example,dc=com',
      [{ cn: 'Smith, Ann' }, 'ou=people', 'dc=example,dc=com'],
    ],
    ['cn=Ann+employeeNumber=7,dc=x', [{ cn: 'Ann', employeeNumber: 7 }, 'dc=x']],
    ['cn=a\\2cou\\3dadmins,dc=x', [{ cn: 'a,ou=admins' }, { dc: 'x' }]],
    ['cn=\\20a\\20,dc=x', [{ cn: ' a ' }, ' dc=x ']],
    ['cn=\\09a\\0a\\00\u0085,dc=x', [{ cn: '\ta\n\0\u0085' }, 'dc=x']],
    ['2.5.4.3=\\23a', [{ '2.5.4.3': '#a' }]],
  ])('is %s', (name, parts) => {
    expect(entryName(parts)).toBe(name)
  })

  it.each<[RegExp, readonly unknown[]]>([
    [/no part/, []],
    [/cn is empty/, [{ cn: '' }, 'dc=x']],
    [/cn has no value/, [{ cn: null }, 'dc=x']],
    [/cn has no value/, [{ cn: undefined }]],
    [/cn is a list/, [{ cn: ['a'] }]],
    [/"people", which is no name; values stand in objects/, [{ cn: 'a' }, 'people']],
    [/"", which is no name/, [{ cn: 'a' }, '']],
    [/neither a name nor an object: null/, [{ cn: 'a' }, null]],
    [/"c=n", which is no name of an attribute/, [{ 'c=n': 'a' }]],
    [/without members/, [{}]],
  ])('is refused where it would be another than it says: %s', (fact, parts) => {
    expect(() => entryName(parts)).toThrow(fact)
  })
})
