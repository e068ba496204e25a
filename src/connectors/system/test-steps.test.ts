import { describe, expect, it } from 'vitest'
import { Problem } from '../../model/problem.ts'
import { ConnectorError } from '../kit/errors.ts'
import { RecordedSteps } from './test-steps.ts'

/** A clock that goes on by ten milliseconds whenever it is looked at. */
function recorded(): RecordedSteps {
  let time = 0
  return new RecordedSteps(() => {
    time += 10
    return time
  })
}

const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })

describe('the steps of a test', () => {
  it('end each when the next one begins, with what was found and how long it took', () => {
    const steps = recorded()
    steps.enter('resolve', 'ldap.example.com')
    steps.enter('connect', '192.0.2.1:389')
    steps.tell('192.0.2.1:389 answers')
    expect(steps.end()).toEqual({
      steps: [
        { name: 'resolve', ok: true, took: 10, detail: 'ldap.example.com' },
        { name: 'connect', ok: true, took: 10, detail: '192.0.2.1:389 answers' },
      ],
    })
  })

  it('end with the one that failed', () => {
    const steps = recorded()
    steps.enter('connect')
    const { error, steps: found } = steps.end(refused)
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: 'connect ECONNREFUSED' })
    expect(found).toMatchObject([{ name: 'connect', ok: false, detail: 'connect ECONNREFUSED' }])
  })

  it('of a connector that names none are one step', () => {
    expect(recorded().end(refused).steps).toMatchObject([{ name: 'test', ok: false }])
    expect(recorded().end()).toEqual({ steps: [] })
  })

  it('may fail while the test goes on in another way', () => {
    const steps = recorded()
    steps.enter('connect', 'first')
    steps.fail(refused)
    steps.enter('connect', 'second')
    expect(steps.end()).toMatchObject({ steps: [{ ok: false }, { ok: true, detail: 'second' }] })
  })

  it('hear nothing that a call does after it was given up', () => {
    const steps = recorded()
    steps.enter('connect')
    const result = steps.end(new ConnectorError('timeout', 'too slow'))
    steps.enter('bind')
    steps.tell('late')
    steps.fail(refused)
    expect(result.steps).toMatchObject([{ name: 'connect', ok: false, detail: 'too slow' }])
  })
})

describe('the advice at the step that fails', () => {
  const coded = (code: string) => Object.assign(new Error(code), { code })
  const lost = (cause: unknown) => new ConnectorError('connection', 'no connection', { cause })

  it.each<[what: string, error: unknown, advice: RegExp]>([
    ['a name that nobody knows', coded('ENOTFOUND'), /how its name is spelled/],
    ['a name server that is silent', coded('EAI_AGAIN'), /name server/],
    ['a port without a server', coded('ECONNREFUSED'), /Nothing listens there/],
    ['the same, in an error of the connector', lost(coded('ECONNREFUSED')), /Nothing listens there/],
    [
      'the same, as a call reports it',
      new Problem('UNAVAILABLE', 'x', { cause: lost(coded('ECONNREFUSED')) }),
      /Nothing/,
    ],
    ['a network without a way', coded('EHOSTUNREACH'), /firewall/],
    ['a connection that breaks off', coded('ECONNRESET'), /expects TLS/],
    ['an authority that is unknown', coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE'), /certificate is not trusted/],
    ['a certificate of another host', coded('ERR_TLS_CERT_ALTNAME_INVALID'), /certificate is not trusted/],
    ['a file that is not there', coded('ENOENT'), /Check the path/],
    ['a wrong password', new ConnectorError('authentication', 'x'), /account and the credentials/],
    ['a hint of the connector', new ConnectorError('misconfigured', 'x', { hint: 'Take a.' }), /^Take a\.$/],
    ['a missing permission', new ConnectorError('permission', 'x'), /permission that the message names/],
    ['a system that is slow', new ConnectorError('timeout', 'x'), /operationTimeout/],
    ['a system that has enough to do', new ConnectorError('busy', 'x'), /fewer requests/],
    ['a wrong setting', new Problem('CONFIGURATION', 'x'), /setting that the message names/],
    ['anything else', new Error('boom'), /./],
  ])('says what to do about %s', (_, error, advice) => {
    const steps = recorded()
    steps.enter('connect')
    expect(steps.end(error).steps[0]?.advice).toMatch(advice)
  })
})
