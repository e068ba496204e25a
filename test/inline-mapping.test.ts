/** Reconciliations of a mapping that comes with the request (engine §7.1, §11). */
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../src/model/json.ts'
import { openApplication } from '../src/server/application.ts'
import { environment } from './support/environment.ts'
import { TestProject } from './support/project.ts'

async function opened(arrange: (project: TestProject) => void = () => {}) {
  const project = TestProject.example()
  arrange(project)
  const application = await openApplication({
    projectFolder: project.folder,
    dataFolder: join(project.folder, 'data'),
    environment,
    flags: {},
    log: () => {},
  })
  return {
    ...application,
    recon: (parameters: Record<string, string>, content: JsonObject | null = null) =>
      application.resources.action(
        'recon',
        { name: 'recon', content, parameters: { waitForCompletion: 'true', ...parameters } },
        application.administrator,
      ) as Promise<JsonObject>,
    async [Symbol.asyncDispose]() {
      await application[Symbol.asyncDispose]()
      project[Symbol.dispose]()
    },
  }
}

const inline = {
  name: 'hr_names',
  source: 'system/hr/employee',
  target: 'managed/user',
}

describe('an inline mapping', () => {
  it('runs from the body or, as JSON, from the parameter, under its own name and with its own links', async () => {
    await using application = await opened()
    const { source } = application.requireMapping('hrAccount_managedUser')
    const mapping = {
      ...application.requireMapping('hrAccount_managedUser').configuration,
      ...inline,
      source,
    }
    const fromBody = await application.recon({}, { mapping, runTargetPhase: false })
    expect(fromBody).toMatchObject({ state: 'SUCCESS' })
    const links = await application.repository.links.count('hr_names')
    expect(links).toBeGreaterThan(0)
    const again = await application.recon({ mapping: JSON.stringify(mapping) })
    expect(await application.reconciliations.read(String(again._id))).toMatchObject({
      mapping: 'hr_names',
      situationSummary: { CONFIRMED: links, ABSENT: 0 },
    })
  })

  it('reuses the links of a configured mapping by the usual rules', async () => {
    await using application = await opened()
    await application.recon({ mapping: 'hrAccount_managedUser' })
    const { source, configuration } = application.requireMapping('hrAccount_managedUser')
    const mapping = { ...configuration, ...inline, source, links: 'hrAccount_managedUser' }
    const run = await application.recon({}, { mapping })
    expect(await application.reconciliations.read(String(run._id))).toMatchObject({
      progress: { target: { created: 0 }, links: { created: 0 } },
    })
  })

  it('comes from a script as an object', async () => {
    await using application = await opened((project) =>
      project.edit('conf/sync.json', (text) => {
        const sync = JSON.parse(text)
        const [first] = sync.mappings
        const { onRecon: _, ...mapping } = { ...first, name: 'inner' }
        const call = `openidm.action('recon', 'recon', {}, {waitForCompletion: true, mapping: ${JSON.stringify(mapping)}})`
        first.onRecon = { type: 'text/javascript', source: call }
        return JSON.stringify(sync)
      }),
    )
    await application.recon({ mapping: 'hrAccount_managedUser', analyze: 'false' })
    expect(await application.repository.links.count('inner')).toBeGreaterThan(0)
  })

  it.each<[what: string, mapping: JsonObject | string, message: RegExp]>([
    ['without a name', { source: 'managed/user', target: 'managed/user' }, /\/name: .* needs a name/],
    [
      'of a wrong shape',
      { ...inline, source: 'managed/user', policies: [{ situation: 'ABSNT' }] },
      /\/policies\/0\/situation: "ABSNT"/,
    ],
    [
      'of a set that is not there',
      { ...inline, source: 'managed/usr' },
      /\/source: "managed\/usr" is not an object set/,
    ],
    [
      'with foreign links',
      { ...inline, source: 'managed/user', links: 'hrAccount_managedUser' },
      /\/links: /,
    ],
    [
      'with a script that is none',
      { ...inline, source: 'managed/user', validSource: { type: 'text/javascript', source: 'if (' } },
      /\/validSource: .*validSource/,
    ],
    ['that is no JSON', '{"name": ', /neither a name nor JSON/],
  ])('%s is refused with the place where it is wrong', async (_what, mapping, message) => {
    await using application = await opened()
    const given =
      typeof mapping === 'string' ? application.recon({ mapping }) : application.recon({}, { mapping })
    await expect(given).rejects.toMatchObject({ status: 400, message: expect.stringMatching(message) })
  })
})
