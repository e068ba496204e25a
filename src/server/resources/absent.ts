import { Problem } from '../../model/problem.ts'
import type { ResourceProvider } from '../../router/resources.ts'

/** Services of OpenIDM that are not here (docs/not-yet.md). A client is told so, not that it has misspelt a path. */
const absent: Readonly<Record<string, string>> = {
  authentication: 'there are no sessions: send credentials with each request',
  identityProviders: 'there is no social login',
  selfservice: 'there is no self-service',
  workflow: 'there are no workflows',
  maintenance: 'updates are those of the package',
  security: 'there is no keystore: see docs/live-configuration.md on the key',
  metrics: 'no measurements are published',
}

export const absentServices: Readonly<Record<string, ResourceProvider>> = Object.fromEntries(
  Object.entries(absent).map(([name, why]) => [name, refusing(name, why)]),
)

function refusing(name: string, why: string): ResourceProvider {
  const refuse = async (path: string): Promise<never> => {
    throw new Problem('NOT_IMPLEMENTED', `${path === '' ? name : `${name}/${path}`} is not there: ${why}`)
  }
  return {
    ...{ read: refuse, query: refuse, create: refuse, update: refuse, patch: refuse, delete: refuse },
    action: refuse,
  }
}
