/** The audit topics of platform §9, and our own `retention`: removals from the audit. */
export const topics: ReadonlySet<string> = new Set([
  'access',
  'activity',
  'authentication',
  'config',
  'recon',
  'sync',
  'retention',
])

/** Topics whose entries can be created over REST. Only Syncline itself records removals. */
export const openTopics: ReadonlySet<string> = new Set([...topics].filter((topic) => topic !== 'retention'))

const common = ['_id', 'timestamp', 'eventName', 'transactionId', 'userId', 'trackingIds']
const decision = [
  ...['mapping', 'linkQualifier', 'situation', 'action', 'sourceObjectId', 'targetObjectId'],
  ...['ambiguousTargetObjectIds', 'status', 'message', 'messageDetail', 'exception', 'policy', 'changes'],
]
const change = ['runAs', 'objectId', 'operation', 'before', 'after', 'changedFields', 'revision']

/**
 * The fields of each topic (platform §9, engine §10), in the order of the columns in files. A dot leads into a nested
 * object.
 */
export const topicFields: Readonly<Record<string, readonly string[]>> = {
  access: [
    ...common,
    ...['server.ip', 'server.port', 'client.ip', 'client.port'],
    ...['request.protocol', 'request.operation', 'request.detail'],
    ...['http.request.secure', 'http.request.method', 'http.request.path'],
    ...['http.request.queryParameters', 'http.request.headers', 'http.request.cookies'],
    'http.response.headers',
    ...['response.status', 'response.statusCode', 'response.detail'],
    ...['response.elapsedTime', 'response.elapsedTimeUnits'],
    'roles',
  ],
  activity: [...common, ...change, 'changes', 'status', 'message', 'messageDetail', 'passwordChanged'],
  authentication: [...common, 'result', 'principal', 'context', 'entries'],
  config: [...common, ...change, 'changes'],
  recon: [...common, 'entryType', 'reconId', 'reconAction', 'reconciling', ...decision],
  sync: [...common, ...decision, 'objectId'],
  retention: [...common, 'topic', 'reason', 'removed', 'gaps', 'digest'],
}
