import { expect, it } from 'vitest'
import { Problem } from '../../model/problem.ts'
import { mask } from '../../model/secrecy.ts'
import { SecretValues } from '../../model/secret-values.ts'
import { withoutSecrets } from './hidden-failure.ts'

const change = (name: string, after: string, secret?: boolean) => ({
  ...{ pointer: [name], before: undefined, after },
  ...(secret && { secret }),
})
const refused = () =>
  new Problem('INVALID_VALUE', 'n: "Geheim-1x" is not of the type integer', { detail: { was: 'Geheim-1x' } })

it.each([
  ['of a value made of a secret', [change('n', 'Geheim-1x', true)], new SecretValues()],
  ['of a value called so', [change('clientSecret', 'Geheim-1x')], new SecretValues()],
  ['of a private value of the source', [], new SecretValues(['Geheim-1x'])],
])('an error %s does not tell it, and stays what it is', (_what, changes, secrets) => {
  expect(withoutSecrets(refused(), { changes }, secrets)).toMatchObject({
    ...{ code: 'INVALID_VALUE', message: `n: "${mask}" is not of the type integer` },
    detail: { was: mask },
  })
})

it('an error of another value is the same', () => {
  const error = refused()
  expect(withoutSecrets(error, { changes: [change('n', 'Geheim-1x')] })).toBe(error)
})
