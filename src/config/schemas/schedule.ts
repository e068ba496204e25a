/** The schema of `schedule-*.json` (platform §8, engine §11). */
import Type from 'typebox'
import { anyObject, choice, flag, text, whole, withoutEffect } from './author.ts'

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
    startTime: text('No run before this time (ISO 8601).'),
    endTime: text('No run after this time (ISO 8601).'),
    timeZone: text('The time zone of the expression, e.g. `Europe/Berlin`. Default: that of the machine.'),
    misfirePolicy: choice(
      'a misfire policy',
      ['fireAndProceed', 'doNothing'],
      'What to do if runs were missed: one run at once for all of them, or none.',
      { default: 'fireAndProceed' },
    ),
    concurrentExecution: flag('True: may start while its last run is still active.', false),
    persisted: flag('Survives a restart.', true, withoutEffect('every schedule survives a restart')),
    recoverable: flag('Run again if the process ended during a run.', false),
    invokeService: text(
      'What runs: `sync` (a reconciliation), `provisioner` (liveSync), `script` or `taskscanner`. The long names of OpenIDM are accepted, too.',
    ),
    invokeContext: anyObject('What the service does, e.g. `{"action": "reconcile", "mapping": "…"}`.'),
    invokeLogLevel: text('The log level of runs.', {
      default: 'info',
      ...withoutEffect('runs are logged when they fail'),
    }),
  },
  { title: 'Schedule', description: '`conf/schedule-<name>.json`: a job that runs by itself.' },
)
