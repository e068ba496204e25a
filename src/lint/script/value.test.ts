import { describe, expect, it } from 'vitest'
import { codeOf } from './code.ts'
import { valueFault } from './value.ts'

function faultOf(source: string) {
  const code = codeOf(source)
  return code && valueFault(code)?.message
}

describe('a script with a value', () => {
  it.each([
    "source.status !== 'left'",
    "if (source.contract === 'x') { 'External' } else { 'Employee' }",
    "var query = { _queryFilter: 'true' }; query",
    '(() => { if (!source.phone) return null; return source.phone })()',
    '(function () { return 1 })()',
    '(function () { return 1 }).call(this)',
    '(source => source.mail)(source)',
    'half(source); function half(x) { return x.length / 2 }',
    'try { openidm.read("managed/user/a") } catch (e) { null }',
    'for (var i = 0; i < 3; i++) { total += i }',
    "(function () { throw { code: 403, message: 'no' } })()",
    "'constant'",
    '',
    'not javascript (',
  ])('%s is not doubted', (source) => {
    expect(faultOf(source)).toBeUndefined()
  })

  it.each([
    ['var mail = source.mail', 'ends with the declaration of mail'],
    ['source.mail; const x = 1;', 'ends with the declaration of x'],
    ['function f() { return 1 }', 'end it with a call such as f(…)'],
    ['(function () { source.mail })()', 'returns none'],
    ['(function () { [1].map(function (x) { return x }) })()', 'returns none'],
    ['(function () { return 1 })', 'nothing calls'],
    ['source => source.mail', 'nothing calls'],
    ["logger.info('done')", 'logger.info, which has no value'],
    ['if (source.x) { var y = 1 }', 'has no value'],
  ])('%s is doubted', (source, message) => {
    expect(faultOf(source)).toContain(message)
  })
})
