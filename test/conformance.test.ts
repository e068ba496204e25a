import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './support/project.ts'

const [rules = '', faults = ''] = readFileSync(join(root, 'docs/conformance.md'), 'utf8').split(
  '## Faults that were found',
)
const rows = rowsOf(rules, 'Rule')
const faultRows = rowsOf(faults, 'Fault')

/** The cells of the rows of all tables whose first column is called so. */
function rowsOf(page: string, first: string): readonly string[][] {
  return page
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith(`| ${first} |`))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

/** `file` "words of the test". */
function expectTest(proof: string): void {
  const [, file = '', title = ''] = /^`([^`]+)` "(.+)"$/.exec(proof) ?? []
  expect(existsSync(join(root, file)), proof).toBe(true)
  expect(readFileSync(join(root, file), 'utf8')).toContain(title)
}

describe('the conformance page', () => {
  it('has rows of four cells, none of them empty', () => {
    expect(rows.length).toBeGreaterThan(50)
    for (const row of rows) {
      expect(row).toHaveLength(4)
      expect(row).not.toContain('')
    }
  })

  it.each(rows)('%s, %s: %s, proved by an existing test', (_rule, section, behaviour, proof) => {
    expect(section).toMatch(/^\[(engine|platform) §[\d.]+\]\(specification\/\1\.md#s[\d.]+\)$/)
    expect(behaviour).toMatch(/^(same|differs)/)
    expectTest(proof as string)
  })
})

describe('the faults that were found', () => {
  it('are twenty-two, each once, with its rule and its tests', () => {
    expect(faultRows).toHaveLength(22)
    expect(new Set(faultRows.map(([fault]) => fault)).size).toBe(22)
    for (const row of faultRows) {
      expect(row).toHaveLength(3)
      expect(row).not.toContain('')
    }
  })

  it.each(faultRows)(
    '%s: %s, proved by existing tests of the case and of two neighbours',
    (_fault, _rule, cell) => {
      const proofs = (cell as string).split(/; (?=`)/)
      expect(new Set(proofs).size).toBeGreaterThanOrEqual(3)
      for (const proof of proofs) expectTest(proof)
    },
  )
})
