import { attempt, type Finding, FindingError } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { type Cron, CronError, parseCron } from './cron.ts'
import { nextFiring } from './next-firing.ts'
import { timeZone, type Zone } from './zone.ts'

/** A parsed job of the configuration (platform §8). Times in ms since 1970. */
export interface Job {
  readonly id: string
  readonly enabled: boolean
  readonly trigger: Trigger
  readonly start: number | undefined
  readonly end: number | undefined
  readonly misfire: 'fireAndProceed' | 'doNothing'
  readonly concurrent: boolean
  readonly recoverable: boolean
  readonly service: ServiceName
  readonly context: JsonObject
  /** As configured. */
  readonly content: JsonObject
}

export type Trigger =
  | { readonly kind: 'cron'; readonly cron: Cron; readonly zone: Zone }
  /** `repeats` undefined: for ever. */
  | { readonly kind: 'simple'; readonly interval: number; readonly repeats: number | undefined }

export const serviceNames = ['sync', 'provisioner', 'script', 'taskscanner'] as const
export type ServiceName = (typeof serviceNames)[number]

/** Throws a FindingError for the first error. */
export function readJob(id: string, content: JsonObject): Job {
  const { enabled, concurrentExecution, recoverable, invokeContext } = content
  const misfire = oneOf(content, 'misfirePolicy', ['fireAndProceed', 'doNothing'], 'fireAndProceed')
  const service = serviceIn(content.invokeService)
  if (invokeContext !== undefined && !isJsonObject(invokeContext))
    throw fault('invokeContext', 'must be an object')
  const zone = zoneIn(content.timeZone)
  const start = timeIn(content, 'startTime', zone)
  const end = timeIn(content, 'endTime', zone)
  if (start !== undefined && end !== undefined && end < start) throw fault('endTime', 'is before startTime')
  return {
    id,
    enabled: enabled !== false,
    trigger: triggerIn(content, zone),
    start,
    end,
    misfire,
    concurrent: concurrentExecution === true,
    recoverable: recoverable === true,
    service,
    context: invokeContext ?? {},
    content,
  }
}

/** Every error, each found as if it were the only one. */
export function jobFindings(id: string, content: JsonObject): readonly Finding[] {
  const findings: Finding[] = []
  let left: JsonObject = content
  for (let read = attempt(() => readJob(id, left)); !read.ok; read = attempt(() => readJob(id, left))) {
    const [member] = read.finding.place
    findings.push(read.finding)
    if (typeof member !== 'string' || !Object.hasOwn(left, member)) break
    const { [member]: wrong, ...others } = left
    left = { ...others, ...standIns[member] }
  }
  return findings
}

/** In place of what a job must have. */
const standIns: Readonly<Record<string, JsonObject>> = {
  schedule: { schedule: '0 0 0 * * ?' },
  invokeService: { invokeService: 'sync' },
  repeatInterval: { repeatInterval: 1 },
}

function triggerIn(content: JsonObject, zone: Zone): Trigger {
  const type = oneOf(content, 'type', ['cron', 'simple'], 'cron')
  if (type === 'simple') {
    const interval = numberIn(content, 'repeatInterval', 0)
    const count = numberIn(content, 'repeatCount', -1)
    if (count !== 0 && interval === 0)
      throw fault('repeatInterval', 'a schedule that repeats needs the milliseconds between two runs')
    return { kind: 'simple', interval, repeats: count < 0 ? undefined : count }
  }
  const { schedule } = content
  if (typeof schedule !== 'string') throw fault('schedule', 'a cron schedule needs a Quartz expression')
  try {
    return { kind: 'cron', cron: parseCron(schedule), zone }
  } catch (error) {
    if (error instanceof CronError) throw fault('schedule', error.message)
    throw error
  }
}

function zoneIn(name: Json | undefined): Zone {
  if (name !== undefined && name !== null && typeof name !== 'string')
    throw fault('timeZone', 'must be the name of a time zone')
  try {
    return timeZone(name ?? undefined)
  } catch {
    throw fault('timeZone', `"${name}" is no time zone; write e.g. Europe/Berlin or UTC`)
  }
}

/** Long names of OpenIDM's services end in these. */
function serviceIn(configured: Json | undefined): ServiceName {
  const name = typeof configured === 'string' ? (configured.split('.').at(-1) ?? '').toLowerCase() : undefined
  const found = serviceNames.find((service) => service === name)
  if (found) return found
  const allowed = serviceNames.join(', ')
  throw fault('invokeService', `${JSON.stringify(configured ?? null)} is no service; there are: ${allowed}`)
}

function oneOf<T extends string>(content: JsonObject, member: string, allowed: readonly T[], standard: T): T {
  const value = content[member] ?? standard
  const found = allowed.find((one) => one === value)
  if (found) return found
  throw fault(member, `${JSON.stringify(value)} is not allowed; allowed are ${allowed.join(', ')}`)
}

function numberIn(content: JsonObject, member: string, least: number): number {
  const value = content[member] ?? 0
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value
  throw fault(member, `${JSON.stringify(value)} is no whole number from ${least}`)
}

/** A time without a zone is in the job's zone. */
function timeIn(content: JsonObject, member: string, zone: Zone): number | undefined {
  const value = content[member]
  if (value === undefined || value === null) return undefined
  const configured = typeof value === 'string' ? value.trim() : ''
  const [, date, clock = '00:00', offset] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/i.exec(configured) ?? []
  const local = Date.parse(`${date}T${clock}Z`)
  if (!Number.isNaN(local)) {
    return offset === undefined ? zone.instantOf(local) : Date.parse(`${date}T${clock}${withColon(offset)}`)
  }
  throw fault(member, `${JSON.stringify(value)} is no time; write ISO 8601`)
}

function withColon(offset: string): string {
  return offset.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
}

/**
 * When a job is due next, strictly after `after`; undefined if never again. `first`: when a simple trigger began; `fired`: how
 * often it has run.
 */
export function nextDue(
  { trigger, start, end }: Job,
  after: number,
  { first, fired }: { readonly first: number; readonly fired: number },
): number | undefined {
  const due =
    trigger.kind === 'cron'
      ? // The start itself is included.
        nextFiring(trigger.cron, start === undefined ? after : Math.max(after, start - 1), trigger.zone)
      : simpleDue(trigger, after, start ?? first, fired)
  return due === undefined || (end !== undefined && due > end) ? undefined : due
}

function simpleDue(
  { interval, repeats }: Trigger & { kind: 'simple' },
  after: number,
  first: number,
  fired: number,
): number | undefined {
  if (repeats !== undefined && fired > repeats) return undefined
  if (after < first) return first
  if (interval === 0) return fired === 0 ? after + 1 : undefined
  return first + (Math.floor((after - first) / interval) + 1) * interval
}

function fault(member: string, message: string): FindingError {
  return new FindingError('BAD_REQUEST', { place: [member], message: `${member}: ${message}` })
}
