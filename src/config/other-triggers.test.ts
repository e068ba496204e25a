/** Settings that a reconciliation does not look at: the mapping stays usable, with a warning. */
import { describe, expect, it } from 'vitest'
import { formatProblem } from './locate.ts'
import { mapping, sound, temporaryProject } from './testing/temporary-project.ts'

async function read(settings: object) {
  await using project = await temporaryProject({
    ...sound,
    'conf/sync.json': { mappings: [mapping('a', settings)] },
  })
  const { problems, mappings } = await project.read()
  return { problems: problems.map(formatProblem), usable: mappings.map(({ name }) => name) }
}

describe('a mapping with', () => {
  it.each<[settings: object, warning: RegExp]>([
    [{ clusteredSourceReconEnabled: true }, /clusteredSourceReconEnabled: warning: .*one node/],
    [{ optimizeAssignmentSync: true }, /optimizeAssignmentSync: warning: .*no effect/],
    [{ prefetchLinks: false }, /prefetchLinks: warning: .*one page at a time/],
    [{ feedSize: 10 }, /feedSize: warning: .*one page is read ahead/],
    [{ targetQueryFullEntry: true }, /targetQueryFullEntry: warning: .*read before it is written/],
    [{ sourceQuery: { _sortKeys: 'mail' } }, /sourceQuery\/_sortKeys: warning: .*an order of its own/],
    [{ targetQuery: { pageSize: 10 } }, /targetQuery\/pageSize: warning: .*reads everything/],
  ])('%j runs, with a warning', async (settings, warning) => {
    expect(await read(settings)).toEqual({ problems: [expect.stringMatching(warning)], usable: ['a'] })
  })

  it.each([
    { triggerSyncProperties: ['/mail'] },
    { queuedSync: { enabled: true } },
    { queuedSync: { enabled: false, pageSize: 10 } },
    { clusteredSourceReconEnabled: false },
    { enableSync: false },
    { syncAfter: [] },
    { consentRequired: true },
    { reconSourceQueryPaging: true, reconSourceQueryPageSize: 50, reconTargetQueryPaging: true },
    { defaultSourceFields: ['*'], defaultTargetFields: ['mail'] },
  ])('%j runs, and there is nothing to say', async (settings) => {
    expect(await read(settings)).toEqual({ problems: [], usable: ['a'] })
  })
})
