import { describe, expect, it } from 'vitest'
import { TestProject } from '../../test/support/project.ts'
import type { ConnectorKind } from '../connectors/kit/kind.ts'
import { openApplication } from './application.ts'
import { checkOnly } from './check.ts'

/** A connector that a program brings along. */
const memory: ConnectorKind = {
  connectorName: 'org.example.Memory',
  displayName: 'Memory',
  bundleName: 'org.example',
  bundleVersion: '1',
  configurationSchema: {
    type: 'object',
    required: ['greeting'],
    properties: {
      greeting: { type: 'string', description: 'What objects say.' },
      times: { type: 'integer', description: 'How often.' },
      loud: { type: 'boolean', description: 'Whether all hear it.' },
    },
  },
  create: ({ greeting = null, ...others }) => ({
    displayName: 'Memory',
    async *search() {
      yield [{ _id: 'one', greeting, settings: JSON.stringify(others) }]
    },
    [Symbol.asyncDispose]: async () => {},
  }),
}

function project(configurationProperties: object) {
  const made = new TestProject()
  made.write('conf/provisioner.openicf-thing.json', {
    connectorRef: { bundleName: 'org.example', bundleVersion: '1', connectorName: 'org.example.Memory' },
    configurationProperties,
    objectTypes: {
      thing: {
        nativeType: 'thing',
        properties: { greeting: { type: 'string' }, settings: { type: 'string' } },
      },
    },
  })
  return made
}

const options = { environment: { SYNCLINE_MASTER_KEY: undefined }, flags: {}, connectors: [memory] }

describe('a connector that a program brings along', () => {
  it('is opened and answers', async () => {
    using made = project({ greeting: 'hello' })
    await using application = await openApplication({
      ...options,
      projectFolder: made.folder,
      dataFolder: made.path('.data'),
      log: () => {},
    })
    const filter = { kind: 'literal', value: true } as const
    const found = await application.resources.query(
      'system/thing/thing',
      { filter },
      application.administrator,
    )
    expect(found.result).toEqual([expect.objectContaining({ _id: 'one', greeting: 'hello' })])
  })

  it('gets numbers and truth of quoted texts, as the Java connectors do, and a warning says so', async () => {
    using made = project({ greeting: 'hello', times: '3', loud: 'true' })
    const { problems } = await checkOnly({ ...options, projectFolder: made.folder })
    expect(problems.map(({ severity, pointer }) => [severity, pointer])).toEqual([
      ['warning', '/configurationProperties/times'],
      ['warning', '/configurationProperties/loud'],
    ])
    await using application = await openApplication({
      ...options,
      projectFolder: made.folder,
      dataFolder: made.path('.data'),
      log: () => {},
    })
    const filter = { kind: 'literal', value: true } as const
    const { resources, administrator } = application
    const { result } = await resources.query('system/thing/thing', { filter }, administrator)
    expect(result).toMatchObject([{ settings: '{"times":3,"loud":true}' }])
  })

  it('has its settings checked', async () => {
    using made = project({ greeting: 7 })
    const { problems } = await checkOnly({ ...options, projectFolder: made.folder })
    expect(problems).toContainEqual(
      expect.objectContaining({ pointer: '/configurationProperties/greeting', severity: 'error' }),
    )
  })

  it('is unknown without it', async () => {
    using made = project({ greeting: 'hello' })
    const { problems } = await checkOnly({ ...options, connectors: [], projectFolder: made.folder })
    expect(problems[0]?.message).toContain('is not a connector that Syncline has')
  })
})
