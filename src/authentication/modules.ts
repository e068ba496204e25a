import type { Resources } from '../router/resources.ts'
import type { ModuleSettings } from './configuration.ts'
import type { LoginModule } from './login-module.ts'
import { managedUsers, type Passwords } from './managed-users.ts'
import { passThrough } from './pass-through.ts'
import { staticUser } from './static-users.ts'

interface ModuleTools {
  readonly resources: () => Resources
  readonly secrets: Passwords
}

export function loginModule(settings: ModuleSettings, tools: ModuleTools): LoginModule {
  switch (settings.kind) {
    case 'STATIC_USER':
      return staticUser(settings.user)
    case 'MANAGED_USER':
      return managedUsers(settings.set, tools)
    case 'PASSTHROUGH':
      return passThrough(settings.set, tools.resources)
  }
}
