import { expect, it } from 'vitest'
import { failedLogins } from './failed-logins.ts'

function clocked() {
  let time = 0
  const failures = failedLogins(() => time)
  const fail = (times: number, address = 'a') => {
    for (let i = 0; i < times; i++) failures.failed(address)
  }
  return { failures, fail, pass: (milliseconds: number) => (time += milliseconds) }
}

it('the first failures cost nothing, then the wait doubles up to a minute', () => {
  const { failures, fail } = clocked()
  fail(4)
  const waits = Array.from({ length: 9 }, () => {
    fail(1)
    return failures.waitFor('a')
  })
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
})

it('a wait ends', () => {
  const { failures, fail, pass } = clocked()
  fail(5)
  pass(1_000)
  expect(failures.waitFor('a')).toBe(0)
})

it('a success forgets the failures', () => {
  const { failures, fail } = clocked()
  fail(7)
  failures.succeeded('a')
  fail(4)
  expect(failures.waitFor('a')).toBe(0)
})

it('a flood of addresses does not make it forget the one that fails now', () => {
  const { failures, fail } = clocked()
  fail(5)
  for (let i = 0; i < 20_000; i++) {
    failures.failed(`address ${i}`)
    if (i % 1_000 === 0) fail(1)
  }
  expect(failures.waitFor('a')).toBe(60_000)
})
