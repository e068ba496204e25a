import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')

it('every law that says how often it is tried says so by `runs`, and so less often in fast tests', () => {
  const tests = globSync('{src,test}/**/*.test.ts', { cwd: root }).filter(
    (file) => !/\.slow\.test\.ts$|testing\/runs\.test\.ts$/.test(file),
  )
  expect(tests.length).toBeGreaterThan(100)
  expect(tests.filter((file) => readFileSync(join(root, file), 'utf8').includes('numRuns:'))).toEqual([])
})
