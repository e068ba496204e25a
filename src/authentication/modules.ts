import type { Resources } from '../router/resources.ts'
import { bearerLogin } from './bearer.ts'
import type { AuthenticationSettings, ModuleSettings } from './configuration.ts'
import type { LoginModule } from './login-module.ts'
import type { Logins } from './logins.ts'
import { managedUsers, type Passwords } from './managed-users.ts'
import { passThrough } from './pass-through.ts'
import { staticUser } from './static-users.ts'

interface ModuleTools {
  readonly resources: () => Resources
  readonly secrets: Passwords
}

/** What the configuration says, ready to be asked. */
export function loginsOf({ modules, sessions, bearer }: AuthenticationSettings, tools: ModuleTools): Logins {
  return {
    sessions,
    modules: modules.map((one) => loginModule(one, tools)),
    bearer: bearer && bearerLogin(bearer, tools.resources),
  }
}

function loginModule(settings: ModuleSettings, tools: ModuleTools): LoginModule {
  switch (settings.kind) {
    case 'STATIC_USER':
      return staticUser(settings.user)
    case 'MANAGED_USER':
      return managedUsers(settings.set, tools)
    case 'PASSTHROUGH':
      return passThrough(settings.set, tools.resources)
  }
}
