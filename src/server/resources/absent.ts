import { Problem } from '../../model/problem.ts'
import type { ResourceProvider } from '../../router/resources.ts'

/** Services of OpenIDM that are not here (docs/not-yet.md). A client is told so, not that it has misspelt a path. */
const absent: Readonly<Record<string, string>> = {
  consent: 'nobody is asked for consent over REST',
  csv: 'files are imported by a mapping from a CSV connector',
  file: 'files cannot be uploaded',
  identityProviders: 'there is no social login',
  'internal/notification': 'there are no notifications',
  'internal/usermeta': 'there is no self-service',
  maintenance: 'updates are those of the package',
  metrics: 'no measurements are published',
  notification: 'there are no notifications',
  privilege: 'there are no delegated administrators: see docs/access.md',
  profile: 'there is no self-service',
  // What is offered of it has mounts of its own.
  repo: 'of the repository links, managed and internal objects, the audit and the state of liveSync can be asked for',
  security: 'there is no keystore: see docs/live-configuration.md on the key',
  selfservice: 'there is no self-service',
  workflow: 'there are no workflows',
}

export const absentServices: Readonly<Record<string, ResourceProvider>> = {
  ...Object.fromEntries(Object.entries(absent).map(([name, why]) => [name, refusing(name, why)])),
  'cluster/active': refusing('cluster/active', 'there is one node, and it is active'),
}

function refusing(name: string, why: string): ResourceProvider {
  const refuse = async (path: string): Promise<never> => {
    throw new Problem('NOT_IMPLEMENTED', `${path === '' ? name : `${name}/${path}`} is not there: ${why}`)
  }
  return {
    ...{ read: refuse, query: refuse, create: refuse, update: refuse, patch: refuse, delete: refuse },
    action: refuse,
  }
}
