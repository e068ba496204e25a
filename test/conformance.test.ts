import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './support/project.ts'

const page = readFileSync(join(root, 'docs/conformance.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Rule |'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )

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
    const [, file = '', title = ''] = /^`([^`]+)` "(.+)"$/.exec(proof as string) ?? []
    expect(existsSync(join(root, file)), proof).toBe(true)
    expect(readFileSync(join(root, file), 'utf8')).toContain(title)
  })
})
