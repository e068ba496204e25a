import type { JsonObject } from '../model/json.ts'
import type { ScriptContext } from './engine.ts'

/** The script variable `context` (platform §7.3). Members of `extra` win. */
export function contextVariable({ request, extra }: ScriptContext): JsonObject {
  const { userId, roles, account, external, transactionId, readOnly } = request
  return {
    security: {
      authenticationId: userId,
      authorization: {
        id: account?.id ?? userId,
        component: account?.component ?? null,
        roles: [...roles],
      },
    },
    caller: { external },
    transactionId: { id: transactionId },
    dryRun: readOnly === true,
    current: { name: 'script' },
    parent: { name: external ? 'http' : 'internal' },
    ...extra,
  }
}
