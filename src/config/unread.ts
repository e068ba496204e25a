/** Warnings about files that PingIDM reads and this version does not: users who rely on one must know. */
import { locate } from './locate.ts'
import type { ConfigurationDocument, ConfigurationProblem } from './project.ts'

const effects: Readonly<Record<string, string>> = {
  scheduler: 'schedules run one after the other, in one process',
  authentication: 'the static administrator is the only account',
  fieldPolicy: 'passwords are checked against no field policy',
  cluster: 'there is one node',
  'datasource.jdbc': 'there is no connection to a database',
  secrets: 'the master key comes from the environment or the data folder',
  metrics: 'no measurements are published',
  'external.email': 'no mail is sent',
}

/** A warning, or undefined for a file that is read, unknown or without effect (`"enabled": false`). */
export function unread(document: ConfigurationDocument): ConfigurationProblem | undefined {
  const [type = ''] = document.id.split('/')
  const effect = Object.hasOwn(effects, type) ? effects[type] : undefined
  if (effect === undefined || document.content?.enabled === false) return undefined
  const message = `nothing reads this file: ${effect}`
  return locate(document, { severity: 'warning', place: [], message })
}
