import { describe, expect, it } from 'vitest'
import { accessRules } from './access-rules.ts'
import { authorizeByRules, authorizeExternal } from './authorization.ts'
import type { RoutedRequest } from './filter.ts'

type Asked = readonly [verb: string, path: string, action?: string, content?: object]

async function may(role: string, [verb, path, action, content]: Asked, filter = authorizeExternal) {
  const context = { external: true, userId: 'x', roles: [role], transactionId: 't' }
  const its =
    action === undefined ? {} : { action: { name: action, content: content ?? null, parameters: {} } }
  const request = { verb, path, context, ...its } as unknown as RoutedRequest
  return filter(request, async () => undefined as never).then(
    () => true,
    () => false,
  )
}

const everybody = 'reader operator administrator'
const operators = 'operator administrator'

/** Every endpoint of docs/rest.md, and who of the three may use it. */
const table: readonly (readonly [who: string, ...Asked])[] = [
  [everybody, 'read', 'managed/user/a'],
  [everybody, 'query', 'managed/user'],
  ['administrator', 'create', 'managed/user'],
  ['administrator', 'update', 'managed/user/a'],
  ['administrator', 'patch', 'managed/user/a'],
  ['administrator', 'delete', 'managed/user/a'],
  ['administrator', 'action', 'managed/user', 'patch'],
  ['administrator', 'action', 'managed/user/a', 'triggerSyncCheck'],
  [everybody, 'query', 'managed/user/a/roles'],
  ['administrator', 'create', 'managed/user/a/roles'],
  [everybody, 'action', 'system', 'test'],
  [everybody, 'action', 'system/hr', 'test'],
  [everybody, 'query', 'system/hr/account'],
  [everybody, 'read', 'system/hr/account/a'],
  ['administrator', 'create', 'system/hr/account'],
  ['administrator', 'delete', 'system/hr/account/a'],
  ['administrator', 'action', 'system/hr/account', 'authenticate'],
  [operators, 'action', 'system/hr/account', 'liveSync'],
  [operators, 'action', 'system', 'liveSync'],
  ['administrator', 'action', 'system', 'testConfig'],
  ['administrator', 'action', 'system', 'createFullConfig'],
  [everybody, 'action', 'system', 'availableConnectors'],
  ['administrator', 'read', 'endpoint/own'],
  ['administrator', 'query', 'endpoint/own'],
  ['administrator', 'action', 'endpoint/own', 'run'],
  [everybody, 'read', 'endpoint/linkedView/managed/user/a'],
  ['administrator', 'action', 'script', 'eval'],
  ['administrator', 'action', 'script', 'compile'],
  [everybody, 'query', 'scheduler/job'],
  ['administrator', 'create', 'scheduler/job'],
  ['administrator', 'update', 'scheduler/job/nightly'],
  [operators, 'action', 'scheduler/job/nightly', 'trigger'],
  [operators, 'action', 'scheduler/job/nightly', 'pause'],
  [everybody, 'action', 'scheduler', 'validateQuartzCronExpression'],
  ['administrator', 'action', 'scheduler', 'pauseJobs'],
  [everybody, 'query', 'sync/queue'],
  [operators, 'action', 'sync/queue/1', 'retry'],
  [operators, 'action', 'sync/queue/1', 'discard'],
  [operators, 'action', 'sync/queue', 'release'],
  [everybody, 'query', 'sync/mappings'],
  [everybody, 'action', 'sync', 'explain'],
  [everybody, 'action', 'sync', 'getLinkedResources'],
  [operators, 'action', 'sync', 'performAction'],
  ['administrator', 'action', 'sync', 'notifyUpdate'],
  [everybody, 'query', 'sync/issues'],
  [everybody, 'action', 'sync/issues', 'summary'],
  [operators, 'action', 'sync/issues/1', 'resolve'],
  [everybody, 'read', 'events'],
  [operators, 'action', 'sync/issues/1', 'undo'],
  [everybody, 'query', 'recon'],
  [everybody, 'read', 'recon/1'],
  [everybody, 'query', 'recon/1/plan'],
  [operators, 'action', 'recon', 'recon'],
  [operators, 'action', 'recon', 'reconById'],
  [operators, 'action', 'recon', 'plan'],
  ['administrator', 'action', 'recon', 'recon', { mapping: { name: 'own', source: 'a', target: 'b' } }],
  ['administrator', 'action', 'recon', 'plan', { mapping: { name: 'own', source: 'a', target: 'b' } }],
  ['administrator', 'action', 'sync', 'explain', { mapping: { name: 'own', source: 'a', target: 'b' } }],
  [operators, 'action', 'recon/1', 'cancel'],
  [operators, 'action', 'recon/1', 'retry'],
  [operators, 'action', 'recon/1', 'apply'],
  [operators, 'action', 'recon/1', 'undo'],
  ['administrator', 'delete', 'recon/1'],
  [everybody, 'query', 'recon/assoc'],
  [everybody, 'query', 'repo/link'],
  ['administrator', 'create', 'repo/link'],
  ['administrator', 'delete', 'repo/link/1'],
  // A command of a name that is none of the fixed ones.
  ['nobody', 'action', 'repo/link', 'command'],
  ['administrator', 'read', 'repo/managed/user/a'],
  ['administrator', 'query', 'repo/managed/user'],
  [everybody, 'query', 'internal/role'],
  [everybody, 'read', 'config/sync'],
  [everybody, 'query', 'config'],
  [everybody, 'query', 'config/history'],
  ['administrator', 'update', 'config/sync'],
  ['administrator', 'patch', 'config/sync'],
  ['administrator', 'delete', 'config/sync'],
  [everybody, 'query', 'audit/access'],
  ['administrator', 'create', 'audit/access'],
  ['administrator', 'action', 'audit', 'rotate'],
  [everybody, 'read', 'info/version'],
  [everybody, 'action', 'policy/managed/user/a', 'validateObject'],
  [everybody, 'read', 'policy/managed/user/a'],
  [everybody, 'query', 'schema/managed'],
  [everybody, 'action', 'util/validateQueryFilter', 'validate'],
  ['administrator', 'action', 'external/rest', 'call'],
  ['administrator', 'action', 'external/email', 'send'],
  [everybody, 'query', 'cluster'],
  [everybody, 'read', 'health/ready'],
  [everybody, 'action', 'authentication', 'login'],
  [everybody, 'action', 'authentication', 'logout'],
  [everybody, 'action', 'authentication', 'reauthenticate'],
  [everybody, 'query', 'taskscanner'],
  [operators, 'action', 'taskscanner', 'execute'],
  ['administrator', 'action', 'taskscanner', 'execute', { scan: {}, task: {} }],
  [operators, 'action', 'taskscanner/1', 'cancel'],
  [everybody, 'query', 'history/managed/user/a'],
  [everybody, 'query', 'repo/synchronisation/deadLetterQueue/hr'],
  ['administrator', 'delete', 'repo/synchronisation/pooledSyncStage/1'],
]

const roles = {
  reader: 'syncline-reader',
  operator: 'internal/role/syncline-operator',
  administrator: 'openidm-admin',
}

describe.each(Object.entries(roles))('%s', (name, role) => {
  it.each(table.map(([who, ...asked]) => [who, asked] as const))('of %s: %o', async (who, asked) => {
    expect(await may(role, asked)).toBe(who.includes(name))
  })
})

describe('the roles that are built in', () => {
  it('hold beside the rules of a project', async () => {
    const rules = accessRules({ configs: [{ pattern: 'info/*', roles: '*', methods: 'read' }] })
    const filter = authorizeByRules(rules, async () => true)
    expect(await may(roles.operator, ['action', 'recon', 'recon'], filter)).toBe(true)
    expect(await may(roles.reader, ['action', 'recon', 'recon'], filter)).toBe(false)
    expect(await may(roles.administrator, ['action', 'recon', 'recon'], filter)).toBe(false)
  })
})
