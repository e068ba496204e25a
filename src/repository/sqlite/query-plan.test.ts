import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { printCookie } from '../../kit/cookies.ts'
import { everything } from '../../model/filter/filter.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { parseSortKeys } from '../../model/sort.ts'
import { temporaryFolder } from '../../testing/folder.ts'
import type { StoreQuery } from '../query.ts'
import type { Repository } from '../repository.ts'
import { eventsOf } from './audit.ts'
import type { Connection } from './connection.ts'
import { objectsIn } from './objects.ts'
import { connect, repositoryOn } from './open.ts'
import { pageStatement, type Queryable } from './query.ts'

describe('the plan of a query', () => {
  const folder = temporaryFolder()
  let repository: Repository
  let connection: Connection

  beforeAll(async () => {
    const file = folder.file('store.db')
    const connections = connect(file)
    connection = connections.reader
    repository = repositoryOn(connections, { patience: 1000 })
    await repository.objects.declare('managed/user', ['userName', '/name/last'])
  })
  afterAll(async () => {
    await repository[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  // biome-ignore lint/suspicious/noExplicitAny: a plan does not depend on what the rows become
  function planOf(table: Queryable<any>, query: StoreQuery): readonly string[] {
    const { sql, parameters } = pageStatement(table, query)
    const steps = connection.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)
    return steps.map((step) => step.detail as string)
  }

  const users = objectsIn('objects_1')

  it.each([
    'userName eq "a"',
    'userName sw "a"',
    'userName gt "a"',
    'userName le "a"',
    'userName lt "2026-03-01T09:30:00Z"',
    'userName ge "2026-03-01T09:30:00+01:00"',
    'name/last eq "a"',
    'userName eq 1',
    'userName in \'["a","b"]\'',
    'userName eq "a" or userName eq "b" or name/last eq "c"',
    'userName eq "a" and mail co "b"',
    '_id eq "a"',
  ])('looks into an index for %s', (text) => {
    const plan = planOf(users, { filter: parseFilter(text), pageSize: 10 }).join('\n')
    expect(plan).toMatch(/SEARCH objects_1 USING INDEX/)
    expect(plan).not.toMatch(/SCAN objects_1/)
  })

  it('reads the whole table for a pointer that was not declared', () => {
    expect(planOf(users, { filter: parseFilter('mail eq "a"') }).join('\n')).toMatch(/SCAN objects_1/)
  })

  it('sorts by reading an index, and finds the next page there', () => {
    const query = { filter: everything, sortKeys: parseSortKeys('userName'), pageSize: 10 }
    expect(planOf(users, query)).toEqual([expect.stringMatching(/^SCAN objects_1 USING INDEX/)])
    const next = { ...query, cookie: printCookie(['a', 'id']) }
    expect(planOf(users, next)).toEqual([expect.stringMatching(/^SEARCH objects_1 USING INDEX/)])
  })

  it('finds the entries of a run, in their order, without looking at others', () => {
    const filter = parseFilter('reconId eq "r"')
    for (const cookie of [undefined, printCookie([7])]) {
      const plan = planOf(eventsOf('recon'), { filter, pageSize: 10, cookie })
      expect(plan).toEqual([
        expect.stringMatching(/^SEARCH audit USING INDEX audit_run \(topic=\? AND recon_id=\?/),
      ])
    }
  })

  it('pages through a topic in the order of writing without sorting', () => {
    const plan = planOf(eventsOf('recon'), { filter: everything, pageSize: 10, cookie: printCookie([7]) })
    expect(plan).toEqual([expect.stringMatching(/^SEARCH audit USING INDEX audit_topic/)])
  })
})
