/** Warnings about files that PingIDM reads and this version does not: whoever relies on one must hear of it. */
import { locate } from './locate.ts'
import type { ConfigurationDocument, ConfigurationProblem } from './project.ts'

const consequences: Readonly<Record<string, string>> = {
  scheduler: 'schedules run one after the other, in one process',
  authentication: 'the static administrator is the only account',
  fieldPolicy: 'passwords are checked against no field policy',
  cluster: 'there is one node',
  'datasource.jdbc': 'there is no connection to a database',
  secrets: 'the master key comes from the environment or the data folder',
  metrics: 'no measurements are published',
  'external.email': 'no mail is sent',
}

/** A warning, or undefined for a file that is read, that is unknown, or that asks for nothing (`"enabled": false`). */
export function unread(document: ConfigurationDocument): ConfigurationProblem | undefined {
  const [type = ''] = document.id.split('/')
  const consequence = Object.hasOwn(consequences, type) ? consequences[type] : undefined
  if (consequence === undefined || document.content?.enabled === false) return undefined
  const message = `nothing reads this file: ${consequence}`
  return locate(document, { severity: 'warning', place: [], message })
}
