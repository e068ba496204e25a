import { expect, it } from 'vitest'
import { Problem } from '../model/problem.ts'
import { serverLog } from './server-log.ts'

it('logs an error with what it carries, but for secrets', () => {
  let text = ''
  const log = serverLog({
    write: (line) => {
      text += line
    },
  })
  const detail = {
    user: 'jo',
    password: 's3cret',
    headers: { Authorization: 's3cret' },
    key: { $crypto: 's3cret' },
  }
  log.error(
    { err: new Problem('INTERNAL', 'it failed', { detail }), transactionId: 't' },
    'The request failed',
  )
  const line = JSON.parse(text)
  expect(line).toMatchObject({ transactionId: 't', msg: 'The request failed' })
  expect(line.err).toMatchObject({
    message: 'it failed',
    code: 'INTERNAL',
    detail: { user: 'jo', headers: {} },
  })
  expect(text).not.toContain('s3cret')
})
