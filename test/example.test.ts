import { describe, expect, it } from 'vitest'
import { accounts, counted, files, users } from './support/example.ts'
import { type RunObject, TestProject } from './support/project.ts'

describe('the example hr-to-directory', () => {
  it('creates and links at first; the second time it confirms and writes nothing, not even the same bytes', () => {
    using project = TestProject.example()
    const first = [users, accounts].map((mapping) => project.json<RunObject>('recon', mapping))
    expect(first.map(counted)).toEqual([
      { ABSENT: 458, SOURCE_IGNORED: 42 },
      { FOUND: 52, ABSENT: 405, AMBIGUOUS: 1, UNASSIGNED: 6 },
    ])
    expect(first.map(({ statusSummary }) => statusSummary.FAILURE)).toEqual([0, 0])
    const before = files.map((file) => project.stamp(file))
    const second = [users, accounts].map((mapping) => project.json<RunObject>('recon', mapping))
    expect(second.map(counted)).toEqual([
      { CONFIRMED: 458, SOURCE_IGNORED: 42 },
      { CONFIRMED: 457, AMBIGUOUS: 1, UNASSIGNED: 6 },
    ])
    for (const { progress } of second) {
      expect(progress.target).toMatchObject({ created: 0, updated: 0, deleted: 0 })
      expect(progress.links.created).toBe(0)
    }
    expect(files.map((file) => project.stamp(file))).toEqual(before)
  })
})
