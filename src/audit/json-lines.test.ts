import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Repository } from '../repository/repository.ts'
import { openSqlite } from '../repository/sqlite/open.ts'
import { readAuditConfiguration } from './handlers.ts'
import { JsonLinesHandler, type JsonLinesSettings } from './json-lines.ts'

/** Audit events as lines in files (platform specification §9). */
let folder: string
let repository: Repository
let logged: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lines-'))
  repository = await openSqlite(join(folder, 'store.db'))
  logged = []
})
afterEach(async () => {
  await repository[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const settings = (more: Partial<JsonLinesSettings> = {}): JsonLinesSettings => ({
  ...{ name: 'json', folder: join(folder, 'audit'), topics: new Set(['recon', 'sync']) },
  ...{ maxFileSize: undefined, keptFiles: undefined, ...more },
})
const handler = (more?: Partial<JsonLinesSettings>) =>
  new JsonLinesHandler(settings(more), { repository, interval: 5, log: (_level, text) => logged.push(text) })
const append = (topic: string, ...ids: string[]) =>
  repository.audit.append(
    ids.map((id) => ({ id, topic, timestamp: '2026-01-01T00:00:00Z', content: { action: 'CREATE' } })),
  )
const lines = (topic: string) =>
  readFileSync(join(folder, `audit/${topic}.audit.json`), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line)._id)

describe('a handler that writes lines', () => {
  it('writes what is recorded from its first start on, a file a topic, and only its topics', async () => {
    await append('recon', 'before')
    {
      await using own = handler()
      await own.start()
      await append('recon', '1', '2')
      await append('access', '3')
      await append('sync', '4')
    }
    expect([lines('recon'), lines('sync')]).toEqual([['1', '2'], ['4']])
    expect(readdirSync(join(folder, 'audit'))).toEqual(['recon.audit.json', 'sync.audit.json'])
  })

  it('writes nothing twice and leaves nothing out when it is started again, whatever a dead process left', async () => {
    {
      await using own = handler()
      await own.start()
      await append('recon', '1')
    }
    await append('recon', '2')
    // Written, but its position was not stored.
    appendFileSync(join(folder, 'audit/recon.audit.json'), '{"_id":"2"}\n{"_id":')
    {
      await using own = handler()
      await own.start()
      await append('recon', '3')
    }
    expect(lines('recon')).toEqual(['1', '2', '3'])
  })

  it('puts files aside that grow too large, and keeps some of them', async () => {
    for (let round = 0; round < 6; round++) {
      await using own = handler({ maxFileSize: 60, keptFiles: 2 })
      await own.start()
      await append('recon', `event-${round}`)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const files = readdirSync(join(folder, 'audit'))
    expect(files).toHaveLength(3)
    expect(lines('recon')).toEqual(['event-5'])
  })

  it('says once that it cannot write, and catches up when it can', async () => {
    writeFileSync(join(folder, 'audit'), 'in the way')
    await using own = handler()
    await own.start()
    await append('recon', '1', '2')
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(logged).toEqual([expect.stringMatching(/audit handler json: .*it is tried again/)])
    rmSync(join(folder, 'audit'))
    await expect.poll(() => lines('recon')).toEqual(['1', '2'])
  })
})

describe('conf/audit.json', () => {
  it('names handlers by their classes; what is not there is a warning', () => {
    const { handlers, warnings } = readAuditConfiguration(
      {
        eventHandlers: [
          { class: 'org.forgerock.openidm.audit.impl.RepositoryAuditEventHandler', config: { name: 'repo' } },
          {
            class: 'org.forgerock.audit.handlers.json.JsonAuditEventHandler',
            config: {
              ...{ name: 'json', logDirectory: 'logs', topics: ['recon', 'nonsense'] },
              fileRotation: { rotationEnabled: true, maxFileSize: 1000 },
              fileRetention: { maxNumberOfHistoryFiles: 3 },
            },
          },
          {
            class: 'org.forgerock.audit.handlers.syslog.SyslogAuditEventHandler',
            config: { name: 'syslog' },
          },
          { class: 'org.forgerock.audit.handlers.jms.JmsAuditEventHandler', config: { enabled: false } },
        ],
        filterPolicies: { field: { excludeIf: [] } },
      },
      '/project',
    )
    expect(handlers).toEqual([
      { name: 'json', folder: '/project/logs', topics: new Set(['recon']), maxFileSize: 1000, keptFiles: 3 },
    ])
    expect(warnings.map(({ place, fact }) => `${place.join('/')}: ${fact}`)).toEqual([
      expect.stringMatching(/^eventHandlers\/2\/class: there is no audit handler SyslogAuditEventHandler/),
      expect.stringMatching(/^filterPolicies: filterPolicies has no effect/),
    ])
  })
})
