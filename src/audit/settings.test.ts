import { describe, expect, it } from 'vitest'
import { duration } from './duration.ts'
import { readSettings } from './settings.ts'

const json = 'org.forgerock.audit.handlers.json.JsonAuditEventHandler'
const read = (content: object) => {
  const { settings, warnings } = readSettings(content as never, '/project')
  return { ...settings, warnings: warnings.map(({ place, message }) => `${place.join('/')}: ${message}`) }
}

/** What is understood of `conf/audit.json` (platform §9). */
describe('the settings of the audit', () => {
  it('name handlers by the ends of their classes; one that is switched off is none', () => {
    const { handlers, warnings } = read({
      eventHandlers: [
        {
          class: json,
          config: {
            ...{ name: 'json', logDirectory: 'logs', topics: ['recon', 'access'] },
            fileRotation: { maxFileSize: 1000, rotationInterval: '1 day', rotationTimes: ['02:30'] },
            fileRetention: { maxNumberOfHistoryFiles: 3, maxDiskSpaceToUse: 0, maxAge: '90 days' },
          },
        },
        { class: 'csv.CsvAuditEventHandler', config: { name: 'csv', security: { enabled: true } } },
        { class: 'JsonStdoutAuditEventHandler', config: { name: 'out' } },
        { class: 'x.RouterAuditEventHandler', config: { name: 'table', resourcePath: '/system/audit/' } },
        { class: json, config: { name: 'off', enabled: false } },
      ],
    })
    expect(handlers).toMatchObject([
      {
        ...{ kind: 'json', name: 'json', folder: '/project/logs', topics: new Set(['recon', 'access']) },
        rotation: { maxFileSize: 1000, interval: 86_400_000, times: [9_000_000] },
        kept: { maxFiles: 3, maxDiskSpace: undefined, maxAge: 90 * 86_400_000 },
      },
      { kind: 'csv', evident: true, folder: '/project/audit', format: { quote: '"', delimiter: ',' } },
      { kind: 'stdout' },
      { kind: 'router', resourcePath: 'system/audit' },
    ])
    expect(warnings).toEqual([])
  })

  it('that do not happen are warnings with their places', () => {
    const { warnings } = read({
      auditServiceConfig: { handlerForQueries: 'ghost' },
      eventHandlers: [
        { class: 'a.SyslogAuditEventHandler', config: { name: 's' } },
        { class: 'RepositoryAuditEventHandler', config: { name: 'repo', enabled: false } },
        { class: 'RouterAuditEventHandler', config: { name: 'loop', resourcePath: 'audit' } },
        { class: json, config: { topics: ['gossip'], fileRotation: { rotationInterval: 'soon' } } },
      ],
      eventTopics: { gossip: {} },
      filterPolicies: { field: { excludeIf: ['/http/request'] } },
      retention: { access: { maxAge: 'long' } },
    })
    expect(warnings).toEqual([
      expect.stringMatching('eventHandlers/0/class: there is no audit handler SyslogAuditEventHandler'),
      expect.stringMatching('eventHandlers/1/config/enabled: the repository keeps all events'),
      expect.stringMatching('eventHandlers/2/config/resourcePath: a router handler needs a resourcePath'),
      expect.stringMatching('eventHandlers/3/config/topics/0: there is no audit topic "gossip"'),
      expect.stringMatching('eventHandlers/3/config/fileRotation/rotationInterval: "soon" is no duration'),
      expect.stringMatching('eventTopics/gossip: there is no audit topic gossip'),
      expect.stringMatching('auditServiceConfig/handlerForQueries: there is no event handler ghost'),
      expect.stringMatching('filterPolicies/field/excludeIf/0: a pointer of a policy begins with a topic'),
      expect.stringMatching('retention/access/maxAge: "long" is no duration'),
    ])
  })

  it('have a retention for each topic; what names it counts more than what is said of all', () => {
    const { retention } = read({ retention: { '*': { maxAge: '1 day' }, recon: { maxEvents: 10 } } })
    expect(retention.get('access')).toEqual({ maxAge: 86_400_000, maxEvents: undefined })
    expect(retention.get('recon')).toEqual({ maxAge: undefined, maxEvents: 10 })
  })
})

describe('a duration', () => {
  it.each([
    ['1 day', 86_400_000],
    ['2 hours, 30 minutes', 9_000_000],
    ['1 hour and 5s', 3_605_000],
    ['100 millis', 100],
    ['500', 500],
    [250, 250],
    ['disabled', undefined],
    [0, undefined],
    ['constructor', null],
    ['1 fortnight', null],
    [true, null],
  ])('%j is %j', (text, ms) => {
    expect(duration(text)).toBe(ms)
  })
})
