import { isJsonObject } from '../model/json.ts'
import { type AccessRule, accessRules, grants } from './access-rules.ts'
import type { RoutedRequest } from './filter.ts'

/**
 * What two roles of Syncline's own may do, with `conf/access.json` or without: a reader sees everything but secrets and private values,
 * an operator also runs, decides and repairs. Neither changes the configuration, brings code of their own, or writes objects
 * but through mappings.
 */
const reading = {
  roles: 'syncline-reader,syncline-operator',
  // Endpoints are code of the project that may do anything; raw objects have what is hidden elsewhere.
  seen: {
    pattern: '*',
    methods: 'read,query',
    excludePatterns: 'endpoint,endpoint/*,repo/managed,repo/managed/*',
  },
  linkedView: { pattern: 'endpoint/linkedView/*', methods: 'read' },
  asked: {
    sync: 'explain,getLinkedResources',
    'sync/issues': 'summary',
    'policy/*': 'validateObject,validateProperty',
    'util/validateQueryFilter': 'validate',
    scheduler: 'validateQuartzCronExpression',
    system: 'test,availableConnectors',
    'system/*': 'test',
    audit: 'availableHandlers',
  },
}

const operating = {
  roles: 'syncline-operator',
  done: {
    recon: 'recon,reconById,plan,planAll',
    'recon/*': 'cancel,retry,apply,undo',
    sync: 'performAction',
    'sync/issues': 'clear',
    'sync/issues/*': 'resolve,undo,retry',
    'sync/queue': 'release',
    'sync/queue/*': 'retry,discard',
    'repo/synchronisation/*': 'retry,discard',
    system: 'liveSync,activeSync',
    'system/*': 'liveSync,activeSync',
    'scheduler/job/*': 'trigger,pause,resume',
    taskscanner: 'execute',
    'taskscanner/*': 'cancel',
  },
}

const rules: readonly AccessRule[] = accessRules({
  configs: [
    ...[reading.seen, reading.linkedView].map((rule) => ({ ...rule, roles: reading.roles })),
    ...actionRules(reading.roles, reading.asked),
    ...actionRules(operating.roles, operating.done),
  ],
})

export function grantedByBuiltInRole(request: RoutedRequest): boolean {
  return rules.some((rule) => grants(rule, request)) && !bringsCode(request)
}

function actionRules(roles: string, actions: Readonly<Record<string, string>>) {
  return Object.entries(actions).map(([pattern, names]) => ({
    ...{ pattern, roles, methods: 'action', actions: names },
  }))
}

/** A mapping or a task that comes with the request has scripts, and these may do everything. */
function bringsCode({ action }: RoutedRequest): boolean {
  if (!action) return false
  const content = isJsonObject(action.content) ? action.content : {}
  return [content.mapping, content.task, content.scan].some(
    (part) => typeof part === 'object' && part !== null,
  )
}
