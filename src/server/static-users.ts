import type { Project } from '../config/project.ts'
import type { StaticUser } from '../http/authentication/static-users.ts'
import { asObject, elementsOf, isJsonObject } from '../model/json.ts'

/** The `STATIC_USER` modules of `conf/authentication.json` with the role openidm-reg. No other module is read. */
export function staticUsers({ documents }: Pick<Project, 'documents'>): readonly StaticUser[] {
  const content = documents.find(({ id }) => id === 'authentication')?.content
  const { authModules } = asObject(content?.serverAuthContext)
  return elementsOf(authModules ?? [])
    .filter(isJsonObject)
    .flatMap(({ name, enabled, properties }) => {
      const { username, password, defaultUserRoles } = asObject(properties)
      const isAnonymous = elementsOf(defaultUserRoles ?? []).some(isRegistration)
      if (name !== 'STATIC_USER' || enabled === false || !isAnonymous || username === 'openidm-admin')
        return []
      return typeof username === 'string' && typeof password === 'string' ? [{ username, password }] : []
    })
}

function isRegistration(role: unknown): boolean {
  return typeof role === 'string' && /^(?:(?:repo\/)?internal\/role\/)?openidm-reg$/.test(role)
}
