import { afterAll, describe, expect, it } from 'vitest'
import { ConnectorError, type ConnectorKind, connectorContract, Secret } from '../src/connector.ts'
import { openApplication } from '../src/syncline.ts'
import { type Memory, memoryConnector } from './support/memory-connector.ts'
import { TestProject } from './support/project.ts'

/** A connector outside src: it uses only the public exports of the package. */
const emptyMemory = (): Memory => ({ epoch: 'first', accounts: new Map(), log: [] })

connectorContract(
  {
    name: 'a connector of a folder of its own',
    objectClass: '__ACCOUNT__',
    async open() {
      const memory = emptyMemory()
      const reopen = async () => memoryConnector(memory)
      return { connector: await reopen(), reopen, close: async () => {} }
    },
    account: (n) => ({ login: `u${n}`, mail: `u${n}@example.com`, password: new Secret(`secret ${n}`) }),
    attribute: 'mail',
    unique: 'login',
    unknown: 'shoeSize',
    multivalued: 'groups',
    bytes: 'photo',
    rename: (n) => ({ login: `u${n}` }),
    credentials: (n) => ({ username: `u${n}`, password: `secret ${n}` }),
  },
  { describe, it },
)

/** The kind, as a program registers it; `name` in the settings says which memory is meant. */
function memoryKind(memories: ReadonlyMap<string, Memory>): ConnectorKind {
  return {
    connectorName: 'org.example.Memory',
    displayName: 'Memory',
    bundleName: 'org.example',
    bundleVersion: '1',
    configurationSchema: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string', description: 'Which memory.' } },
    },
    create({ name }) {
      const memory = memories.get(String(name))
      if (memory) return memoryConnector(memory)
      throw new ConnectorError('misconfigured', `There is no memory "${name}"`)
    },
  }
}

describe('a connector of a folder of its own', () => {
  const made = new TestProject()
  afterAll(() => made[Symbol.dispose]())

  it('is synchronized by the application that it is registered with', async () => {
    const memories = new Map(['hr', 'directory'].map((name) => [name, emptyMemory()]))
    const account = {
      nativeType: '__ACCOUNT__',
      properties: {
        name: { type: 'string', nativeName: '__NAME__', required: true },
        mail: { type: 'string' },
        groups: { type: 'array', items: { type: 'string' } },
        photo: { type: 'string', nativeType: 'JAVA_TYPE_BYTE_ARRAY' },
      },
    }
    for (const name of memories.keys())
      made.write(`conf/provisioner.openicf-${name}.json`, {
        connectorRef: { bundleName: 'org.example', bundleVersion: '1', connectorName: 'org.example.Memory' },
        configurationProperties: { name },
        objectTypes: { account },
      })
    made.write('conf/sync.json', {
      mappings: [
        {
          name: 'hr_directory',
          source: 'system/hr/account',
          target: 'system/directory/account',
          properties: ['name', 'mail', 'groups', 'photo'].map((name) => ({ source: name, target: name })),
          policies: [
            { situation: 'ABSENT', action: 'CREATE' },
            { situation: 'CONFIRMED', action: 'UPDATE' },
            { situation: 'SOURCE_MISSING', action: 'DELETE' },
          ],
        },
      ],
    })
    await using application = await openApplication({
      environment: {},
      flags: {},
      connectors: [memoryKind(memories)],
      projectFolder: made.folder,
      dataFolder: made.path('.data'),
      log: () => {},
    })
    const recon = async () => {
      const situations: unknown[] = []
      const { done } = await application.reconciliations.start(
        { mapping: 'hr_directory' },
        application.administrator,
        { onEntry: ({ situation }) => situations.push(situation) },
      )
      await done
      return situations
    }
    const bytes = Uint8Array.of(0, 255, 128)
    const ann = { _id: 'ann', login: 'ann', mail: 'ann@example.com', groups: ['a', 'b'], photo: bytes }
    memories.get('hr')?.accounts.set('ann', ann)
    expect(await recon()).toEqual(['ABSENT'])
    expect(memories.get('directory')?.accounts.get('ann')).toEqual(ann)
    expect(await recon()).toEqual(['CONFIRMED'])
    expect(memories.get('directory')?.log).toHaveLength(1)
  })
})
