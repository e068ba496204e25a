import { describe, expect, it } from 'vitest'
import { TestProject } from '../../test/support/project.ts'
import { openApplication } from './application.ts'
import { checkOnly } from './check.ts'
import { greetingFeature, happened } from './testing/greeting.ts'

/** A feature that a program adds to the list: one object in a folder of its own. */
function projectWith(content: object): TestProject {
  const project = new TestProject()
  project.write('conf/managed.json', { objects: [] })
  project.write('conf/greeting-morning.json', content)
  return project
}

const options = (project: TestProject) => ({
  projectFolder: project.folder,
  dataFolder: project.path('.data'),
  environment: {},
  flags: {},
  features: [greetingFeature],
  log: () => {},
})

describe('a feature', () => {
  it('has its documents checked, by its schema and by itself', async () => {
    using project = projectWith({ words: 7 })
    const { problems } = await checkOnly(options(project))
    expect(problems).toMatchObject([
      { severity: 'error', file: 'conf/greeting-morning.json', pointer: '/words', line: 2, column: 12 },
    ])
    project.write('conf/greeting-morning.json', { words: 'shout' })
    expect((await checkOnly(options(project))).problems).toMatchObject([
      { severity: 'warning', pointer: '/words', message: 'greeting morning: do not shout in the morning' },
    ])
  })

  it('answers what is configured, follows a change, starts with the server and is disposed of', async () => {
    using project = projectWith({ words: 'hello' })
    happened.length = 0
    {
      await using application = await openApplication(options(project))
      const { resources, administrator } = application
      expect(await resources.read('greeting/morning', administrator)).toMatchObject({ words: 'hello' })
      await application.start()
      const content = { words: 'good morning' }
      await resources.update('config/greeting/morning', undefined, content, administrator)
      expect(await resources.read('greeting/morning', administrator)).toMatchObject(content)
    }
    expect(happened).toEqual([
      ...['begun', 'opened hello', 'in force hello', 'started hello', 'started'],
      // Before a change the files are looked at: what they come to is the same, and is not put in force.
      ...['opened hello', 'closed hello'],
      ...['opened good morning', 'in force good morning', 'started good morning', 'closed hello'],
      ...['ended', 'closed good morning'],
    ])
  })

  it('changes nothing by a change that it refuses', async () => {
    using project = projectWith({ words: 'hello' })
    await using application = await openApplication(options(project))
    const { resources, administrator } = application
    const change = resources.update('config/greeting/morning', undefined, { words: 7 }, administrator)
    await expect(change).rejects.toMatchObject({ code: 'CONFIGURATION', status: 400 })
    expect(await resources.read('greeting/morning', administrator)).toMatchObject({ words: 'hello' })
  })
})
