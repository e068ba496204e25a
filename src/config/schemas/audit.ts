/** The schema of `audit.json` (platform §9); `retention` is Syncline's own. */
import Type from 'typebox'
import {
  anything,
  dictionary,
  flag,
  list,
  object,
  shape,
  text,
  texts,
  whole,
  withoutEffect,
} from './author.ts'

const topics = 'access, activity, authentication, config, recon, sync, retention'

const policy = (what: string) =>
  object(
    {
      excludeIf: texts(`Pointers to the ${what}, each beginning with a topic.`, {
        examples: [['/access/http/request/headers/user-agent']],
      }),
      includeIf: texts('Pointers to what is kept although `excludeIf` covers it.'),
    },
    `Leaves out ${what}.`,
  )

const policies = object(
  { field: policy('fields, names included'), value: policy('values, which become null') },
  'What is left out of events beyond the secrets, which never are in them.',
)

const filter = object(
  {
    actions: texts(
      'Only these: actions of the engine for `recon` and `sync` (`CREATE`, `UNLINK`, …), else operations (`create`, `update`, `patch`, `delete`, `action`, `read`, `query`). Of `activity`, reads and queries only where they are named here.',
    ),
    fields: list(
      Type.Object({
        name: Type.String({ description: 'A pointer to a field.', examples: ['mapping'] }),
        values: Type.Array(Type.Unknown(), { description: 'The values it may have.' }),
      }),
      'Only events whose fields have one of these values, each of them.',
    ),
    triggers: dictionary(
      Type.Array(Type.String()),
      'Of what a trigger causes, only these actions, e.g. `{"recon": ["create", "delete"]}`.',
    ),
    script: shape(
      'script',
      'A script that sees `request` and `context`; the event is kept if its value is true.',
    ),
  },
  'Which events are kept.',
)

const topicSettings = (more: Record<string, ReturnType<typeof texts>> = {}) =>
  object({ filter, ...more }, 'Settings of the topic.')

const rotation = object(
  {
    rotationEnabled: flag('False: files grow without end.', true),
    maxFileSize: whole('Bytes; a file is put aside before it grows beyond them. 0: no limit.', 0),
    rotationInterval: text('How long a file is written to.', { examples: ['1 day'] }),
    rotationTimes: texts('Times of the day (UTC) at which files are put aside.', { examples: [['00:00']] }),
    rotationFilePrefix: text(
      'Read for compatibility.',
      withoutEffect('the time of day is put behind the name of the file'),
    ),
    rotationFileSuffix: text(
      'Read for compatibility.',
      withoutEffect('the time of day is put behind the name of the file'),
    ),
  },
  'When a file is put aside and another one begun.',
)

const fileRetention = object(
  {
    maxNumberOfHistoryFiles: whole('How many files put aside are kept, of each topic. 0: all.', 0),
    maxDiskSpaceToUse: whole('Bytes that they may have together, of each topic. 0: no limit.', 0),
    minFreeSpaceRequired: whole('Bytes that the disk must have left. 0: no limit.', 0),
    maxAge: text('How old they may become.', { examples: ['90 days'] }),
  },
  'Which files put aside are kept; the oldest go first.',
)

const handlerConfig = object(
  {
    name: text('The name of the handler; how far it has come is kept under it.'),
    enabled: flag('False: it does nothing.', true),
    topics: texts(`The topics it takes: ${topics}. Without: all.`),
    logDirectory: text('JSON and CSV: the folder of the files; a relative one starts at the project.', {
      default: 'audit',
    }),
    fileRotation: rotation,
    fileRetention,
    formatting: object(
      {
        quoteChar: text('Around fields that need it.', { default: '"' }),
        delimiterChar: text('Between fields.', { default: ',' }),
        endOfLineSymbols: text('After each row.', { default: '\n' }),
      },
      'CSV: how rows are written.',
    ),
    security: object(
      {
        enabled: flag('True: a column with a keyed hash of each row and the one before it.', false),
        filename: text('Read for compatibility.', withoutEffect('the key is in the data folder')),
        password: anything('Read for compatibility.', withoutEffect('the key is in the data folder')),
        signatureInterval: text('Read for compatibility.', withoutEffect('every row is proved')),
      },
      'CSV: tamper evidence.',
    ),
    buffering: object(
      {},
      'Read for compatibility.',
      withoutEffect('events are written some at a time, and none is lost'),
    ),
    resourcePath: text('Router: where events are created, below it by topic.', {
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
          'Who answers queries on `audit`: the repository, or a router handler by its name.',
        ),
        availableAuditEventHandlers: texts('Classes of handlers; read for consoles.'),
        filterPolicies: policies,
        caseInsensitiveFields: texts(
          'Read for compatibility.',
          withoutEffect('names are compared without regard to case'),
        ),
      },
      'Settings of the service.',
    ),
    eventHandlers: list(
      Type.Object({
        class: Type.String({
          description:
            'The class, of which the end counts: `RepositoryAuditEventHandler`, `JsonAuditEventHandler`, `CsvAuditEventHandler`, `JsonStdoutAuditEventHandler` or `RouterAuditEventHandler`.',
        }),
        config: handlerConfig,
      }),
      'Where events go beside the repository.',
    ),
    eventTopics: object(
      {
        access: topicSettings(),
        activity: topicSettings({
          watchedFields: texts('What `changedFields` tells of. Without: all fields.'),
          passwordFields: texts('Changes of these set `passwordChanged`.', { default: ['password'] }),
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
        maxAge: text('How old an event may become.', { examples: ['365 days'] }),
        maxEvents: whole('How many of the newest are kept.', undefined, { minimum: 0 }),
      }),
      `How long the repository keeps events, by topic; \`*\` says it of all others. Topics: ${topics}.`,
      { examples: [{ access: { maxAge: '90 days' } }] },
    ),
    exceptionFormatter: object(
      {},
      'Read for compatibility.',
      withoutEffect('failures are recorded by message and detail'),
    ),
  },
  { title: 'Audit', description: '`conf/audit.json`: what is recorded, and where it goes.' },
)
