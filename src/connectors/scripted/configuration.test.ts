import { expect, it } from 'vitest'
import { customConfiguration } from './configuration.ts'

it.each([
  ['', {}],
  ['{"a": {"b": [1, true]}}', { a: { b: [1, true] } }],
  [
    'kadmin { cmd = \'/usr/sbin/kadmin\'; realm = "EXAMPLE.COM" }',
    { kadmin: { cmd: '/usr/sbin/kadmin', realm: 'EXAMPLE.COM' } },
  ],
  [
    "kadmin{\n cmd = 'a'\n retries = -3\n}\nflags.strict = true // why\nflags { lax = false }",
    {
      kadmin: { cmd: 'a', retries: -3 },
      flags: { strict: true, lax: false },
    },
  ],
  ["a = ['x', 'it\\'s', 1.5,]", { a: ['x', "it's", 1.5] }],
  ['a { b { c = null } }', { a: { b: { c: null } } }],
])('reads %j', (text, expected) => {
  expect(customConfiguration(text)).toEqual(expected)
})

it.each(['a =', 'a { b = 1', 'a = System.exit(1)', 'a = "x" }', '[1]', "a = 'never ends", '{'.repeat(100)])(
  'reads nothing else: %j',
  (text) => {
    expect(customConfiguration(text)).toBeUndefined()
  },
)
