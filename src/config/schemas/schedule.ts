/** The schema of `schedule-*.json` (platform §8, engine §11). */
import Type from 'typebox'
import { choice, flag, object, text, whole, withoutEffect } from './author.ts'

export const scheduleSchema = Type.Object(
  {
    enabled: flag('False: kept, but not run.', true),
    type: choice('a type of schedule', ['cron', 'simple'], 'By a cron expression, or at intervals.', {
      default: 'cron',
    }),
    schedule: text(
      'For `cron`: a Quartz expression, seconds first, weekdays from 1 = SUN, e.g. `0 0/5 * * * ?`.',
    ),
    repeatInterval: whole('For `simple`: milliseconds between two runs.', 0, { minimum: 0 }),
    repeatCount: whole('For `simple`: how often it is repeated after the first run; -1: for ever.', 0, {
      minimum: -1,
    }),
    startTime: text('Not before (ISO 8601).'),
    endTime: text('Not after (ISO 8601).'),
    timeZone: text('Whose clock counts, e.g. `Europe/Berlin`. Without: that of the machine.'),
    misfirePolicy: choice(
      'a misfire policy',
      ['fireAndProceed', 'doNothing'],
      'What becomes of runs that were missed: one at once for all of them, or none.',
      { default: 'fireAndProceed' },
    ),
    concurrentExecution: flag('True: may run while its last run has not ended.', false),
    persisted: flag('Survives a restart.', true, withoutEffect('every schedule does')),
    recoverable: flag('Run again if the process died in the middle of a run.', false),
    invokeService: text(
      'What runs: `sync` (a reconciliation), `provisioner` (liveSync), `script` or `taskscanner`; long names of OpenIDM are understood.',
    ),
    invokeContext: object({}, 'What the service is to do, e.g. `{"action": "reconcile", "mapping": "…"}`.'),
    invokeLogLevel: text('How loud a run is logged.', {
      default: 'info',
      ...withoutEffect('runs are logged when they fail'),
    }),
  },
  { title: 'Schedule', description: '`conf/schedule-<name>.json`: something that runs by itself.' },
)
