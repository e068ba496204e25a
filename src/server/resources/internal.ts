import { Problem } from '../../model/problem.ts'
import { splitPath } from '../../model/resource-path.ts'
import { queryCollection } from '../../router/collection.ts'
import type { Resource, ResourceProvider } from '../../router/resources.ts'

/** The roles of those who use the server (platform §10). They are fixed: who has one, `authzRoles` of a user and the login say. */
const roles: readonly Resource[] = [
  { _id: 'openidm-admin', description: 'May do everything' },
  { _id: 'openidm-authorized', description: 'Has an account' },
  { _id: 'openidm-cert', description: 'Has shown a certificate' },
  { _id: 'openidm-reg', description: 'Is not logged in' },
  { _id: 'openidm-tasks-manager', description: 'May assign tasks to others' },
  { _id: 'syncline-operator', description: 'May see everything but secrets, run and decide' },
  { _id: 'syncline-reader', description: 'May see everything but secrets' },
]

/** `internal/role`, in older versions `repo/internal/role`; the same for `user`. They are read, not changed. */
export const internalRoles = fixed('internal/role', roles)
export const internalUsers = fixed('internal/user', [
  {
    _id: 'openidm-admin',
    roles: [{ _ref: 'internal/role/openidm-admin' }, { _ref: 'internal/role/openidm-authorized' }],
  },
  { _id: 'anonymous', roles: [{ _ref: 'internal/role/openidm-reg' }] },
])

function fixed(name: string, all: readonly Resource[]): ResourceProvider {
  return {
    async read(path) {
      const [id, ...deeper] = splitPath(path)
      const found = deeper.length > 0 ? undefined : all.find(({ _id }) => _id === id)
      if (found) return found
      throw new Problem('NOT_FOUND', `There is no resource ${name}/${path}`)
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `${name}/${path} is an object, not a set`)
      return queryCollection(all, query)
    },
  }
}
