import { csvConnector, TestProject } from './project.ts'

/** A CSV file of people who become users, for schedules to do. */
export function scheduledTown(): TestProject {
  const project = new TestProject()
  project.write('data/hr.csv', 'login,name\nann,Ann\n')
  project.write('conf/provisioner.openicf-hr.json', csvConnector('hr', ['login', 'name']))
  const text = { type: 'string' }
  const schema = { type: 'object', properties: { userName: text, name: text } }
  project.write('conf/managed.json', { objects: [{ name: 'user', schema }] })
  project.write('conf/mapping-hr_user.json', {
    ...{ source: 'system/hr/account', target: 'managed/user' },
    properties: [
      { source: 'login', target: 'userName' },
      { source: 'name', target: 'name' },
    ],
  })
  return project
}

export const everySecond = { enabled: true, type: 'cron', schedule: '* * * * * ?' }
