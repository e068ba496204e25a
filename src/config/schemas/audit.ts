/** The schema of `audit.json` (platform §9); `retention` is Syncline's own. */
import Type from 'typebox'
import {
  anyObject,
  anything,
  dictionary,
  flag,
  list,
  object,
  shape,
  text,
  texts,
  unused,
  whole,
} from './author.ts'

const topics = 'access, activity, authentication, config, recon, sync, retention'

const policy = (what: string) =>
  object(
    {
      excludeIf: texts(`Pointers to the ${what}, each beginning with a topic.`, {
        examples: [['/access/http/request/headers/user-agent']],
      }),
      includeIf: texts('Pointers that are kept although `excludeIf` covers them.'),
    },
    `Leaves out ${what}.`,
  )

const policies = object(
  { field: policy('fields, with their names'), value: policy('values, which become null') },
  'What is left out of events. Secrets are always left out.',
)

const filter = object(
  {
    actions: texts(
      'Keep only events of these actions. `recon` and `sync`: actions of the engine (`CREATE`, `UNLINK`, …). Other topics: operations (`create`, `update`, `patch`, `delete`, `action`, `read`, `query`). `activity` records reads and queries only if they are named here.',
    ),
    fields: list(
      Type.Object({
        name: Type.String({ description: 'A pointer to a field.', examples: ['mapping'] }),
        values: Type.Array(Type.Unknown(), { description: 'The values that the field may have.' }),
      }),
      'Keep only events in which every field listed has one of its values.',
    ),
    triggers: dictionary(
      Type.Array(Type.String()),
      'For events caused by a trigger, keep only these actions, e.g. `{"recon": ["create", "delete"]}`.',
    ),
    script: shape(
      'script',
      'A script that sees `request` and `context`. The event is kept if the script returns true.',
    ),
  },
  'Which events are kept.',
)

const topicSettings = (more: Record<string, ReturnType<typeof texts>> = {}) =>
  object({ filter, ...more }, 'Settings of the topic.')

const rotation = object(
  {
    rotationEnabled: flag('False: one file grows without limit.', true),
    maxFileSize: whole('The largest size of a file in bytes. 0: no limit.', 0),
    rotationInterval: text('The time after which a new file is begun.', { examples: ['1 day'] }),
    rotationTimes: texts('Times of day (UTC) at which a new file is begun.', { examples: [['00:00']] }),
    rotationFilePrefix: unused('the time of day is put behind the name of the file'),
    rotationFileSuffix: unused('the time of day is put behind the name of the file'),
  },
  'When the file is archived and a new one begun.',
)

const fileRetention = object(
  {
    maxNumberOfHistoryFiles: whole('How many archived files are kept for each topic. 0: all.', 0),
    maxDiskSpaceToUse: whole('The total size of the archived files of a topic in bytes. 0: no limit.', 0),
    minFreeSpaceRequired: whole('The free disk space to keep, in bytes. 0: no limit.', 0),
    maxAge: text('The maximum age of an archived file.', { examples: ['90 days'] }),
  },
  'Which archived files are kept. The oldest are deleted first.',
)

const handlerConfig = object(
  {
    name: text('The name of the handler. Its position in the audit trail is stored under this name.'),
    enabled: flag('False: the handler does nothing.', true),
    topics: texts(`The topics that the handler receives: ${topics}. Default: all.`),
    logDirectory: text('JSON and CSV: the folder of the files, relative to the project.', {
      default: 'audit',
    }),
    fileRotation: rotation,
    fileRetention,
    formatting: object(
      {
        quoteChar: text('Around fields that need quotes.', { default: '"' }),
        delimiterChar: text('Between fields.', { default: ',' }),
        endOfLineSymbols: text('After each row.', { default: '\n' }),
      },
      'CSV: how rows are written.',
    ),
    security: object(
      {
        enabled: flag('True: a column holds a keyed hash of each row and the row before it.', false),
        filename: unused('the key is in the data folder'),
        password: unused('the key is in the data folder', anything),
        signatureInterval: unused('every row has its own hash'),
      },
      'CSV: tamper evidence.',
    ),
    buffering: unused('events are written in batches, and none is lost', anyObject),
    resourcePath: text('Router: the resource under which events are created, `<path>/<topic>`.', {
      examples: ['endpoint/audit'],
    }),
  },
  'Settings of the handler.',
)

export const auditSchema = Type.Object(
  {
    auditServiceConfig: object(
      {
        handlerForQueries: text(
          'What answers queries on `audit`: the repository, or a router handler by its name.',
        ),
        availableAuditEventHandlers: texts('Classes of handlers; read for consoles.'),
        filterPolicies: policies,
        caseInsensitiveFields: unused('names are compared without regard to case', texts),
      },
      'Settings of the service.',
    ),
    eventHandlers: list(
      Type.Object({
        class: Type.String({
          description:
            'The class. Only the end of the name matters: `RepositoryAuditEventHandler`, `JsonAuditEventHandler`, `CsvAuditEventHandler`, `JsonStdoutAuditEventHandler` or `RouterAuditEventHandler`.',
        }),
        config: handlerConfig,
      }),
      'Where events go, in addition to the repository.',
    ),
    eventTopics: object(
      {
        access: topicSettings(),
        activity: topicSettings({
          watchedFields: texts('The fields that `changedFields` may list. Default: all.'),
          passwordFields: texts('The fields whose change sets `passwordChanged`.', { default: ['password'] }),
        }),
        authentication: topicSettings(),
        config: topicSettings(),
        recon: topicSettings(),
        sync: topicSettings(),
      },
      'Settings by topic.',
    ),
    filterPolicies: policies,
    retention: dictionary(
      Type.Object({
        maxAge: text('The maximum age of an event.', { examples: ['365 days'] }),
        maxEvents: whole('How many of the newest events are kept.', undefined, { minimum: 0 }),
      }),
      `How long the repository keeps events, by topic; \`*\` is for all other topics. Topics: ${topics}.`,
      { examples: [{ access: { maxAge: '90 days' } }] },
    ),
    exceptionFormatter: unused('failures are recorded with message and detail', anyObject),
  },
  { title: 'Audit', description: '`conf/audit.json`: what is recorded, and where it goes.' },
)
