import { timeOrderedId } from '../kit/time-ordered-id.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import { joinPath, splitPath } from '../model/resource-path.ts'
import { queryCollection } from '../router/collection.ts'
import type {
  RequestContext,
  Resource,
  ResourceAction,
  ResourceProvider,
  Resources,
} from '../router/resources.ts'
import { parseCron } from './cron.ts'
import { type Job, readJob } from './job.ts'
import type { JobTrigger, Scheduler } from './scheduler.ts'

const everySchedule = { kind: 'compare', operator: 'sw', pointer: ['_id'], value: 'schedule/' } as const

/** Where jobs are stored; `scheduler/job` is another view of them. */
const kept = 'config/schedule'

/**
 * `scheduler/job` (platform §8, [D]): a second view of the configuration objects `config/schedule/{id}` and their files.
 * A write here writes the file. When it is answered, the job already has its new schedule.
 */
export function jobProvider(scheduler: Scheduler, resources: () => Resources): ResourceProvider {
  const view = jobViews(scheduler, resources)
  return {
    async read(path, request) {
      const id = idIn(path)
      const job = view.job(id)
      return view.of(job, await resources().read(pathOf(id), inside(request)))
    },
    async query(path, query, request) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `scheduler/job/${path} is a job, not a set`)
      return queryCollection(await view.all(request), query)
    },
    async create(path, given, content, request) {
      if (path !== '') throw new Problem('BAD_REQUEST', `scheduler/job/${path} is a job, not a set`)
      const named = typeof content._id === 'string' && content._id !== '' ? content._id : undefined
      const id = asConfigured(given ?? named ?? timeOrderedId())
      const job = readJob(id, configuredIn(content))
      return view.of(job, await resources().create(kept, id, configuredIn(content), inside(request)))
    },
    async update(path, rev, content, request) {
      const id = idIn(path)
      view.job(id)
      const job = readJob(id, configuredIn(content))
      return view.of(job, await resources().update(pathOf(id), rev, configuredIn(content), inside(request)))
    },
    async delete(path, rev, request) {
      const id = idIn(path)
      const last = await view.of(view.job(id), await resources().read(pathOf(id), inside(request)))
      await resources().delete(pathOf(id), rev, inside(request))
      return last
    },
    async action(path, action, request) {
      const { name } = action
      const id = idIn(path)
      if (id === '' && name === validate) return validity(action)
      if (id !== '') return actOn(scheduler, view.job(id), name)
      if (name !== 'listCurrentlyExecutingJobs') return actOnAll(scheduler, name)
      const running = new Set(scheduler.running())
      return (await view.all(request)).filter(({ _id }) => running.has(_id))
    },
  }
}

/** Jobs as they are answered: what `config` has, and when they run next. */
function jobViews(scheduler: Scheduler, resources: () => Resources) {
  /** NOT_FOUND if there is none. */
  function job(id: string): Job {
    const found = scheduler.job(id)
    if (!found) throw new Problem('NOT_FOUND', `There is no job "${id}"`)
    return found
  }

  /** As `config` returns it: placeholders are not expanded, secrets are masked. */
  async function of({ id }: Job, { _id, _rev, ...content }: Resource): Promise<Resource> {
    const known = scheduler.job(id)
    const trigger = known && (await scheduler.triggerOf(known))
    const next = known && (await scheduler.nextRun(known))
    return {
      _id: id,
      ...(_rev === undefined ? {} : { _rev }),
      ...defaults,
      ...content,
      triggers: trigger ? [triggerView(trigger)] : [],
      nextRunDate: dateOf(next),
    }
  }

  async function all(request: RequestContext): Promise<Resource[]> {
    const { result } = await resources().query('config', { filter: everySchedule }, inside(request))
    const content = new Map(result.map((one) => [one._id, one]))
    const found: Resource[] = []
    for (const known of scheduler.all()) {
      const configured = content.get(`schedule/${known.id}`)
      if (configured) found.push(await of(known, configured))
    }
    return found
  }
  return { job, of, all }
}

function dateOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}

async function actOn(scheduler: Scheduler, job: Job, name: string): Promise<Json> {
  if (name === 'trigger') scheduler.trigger(job)
  else if (name === 'pause' || name === 'resume') await scheduler.pause(job, name === 'pause')
  else throw new Problem('BAD_REQUEST', `unknown action ${name} on a job; allowed: trigger, pause, resume`)
  return { success: true }
}

/** The right to write jobs is enough here, whatever the caller may do to the rest of the configuration. */
function inside<Request extends RequestContext>(request: Request): Request {
  return { ...request, external: false, fields: undefined }
}

function pathOf(id: string): string {
  return `${kept}/${joinPath(id)}`
}

/** Jobs are not nested. */
function idIn(path: string): string {
  const [id = '', ...below] = splitPath(path)
  if (below.length > 0) throw new Problem('NOT_FOUND', `There is no resource scheduler/job/${path}`)
  return asConfigured(id)
}

/** Ids of configuration objects have no blanks. */
function asConfigured(id: string): string {
  return id.replaceAll(' ', '_')
}

/** Without the members that a job is only shown with, and those that are null. */
function configuredIn({ _id, _rev, triggers, nextRunDate, ...content }: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null))
}

/** For what is not in a job (platform §8). */
const defaults: JsonObject = {
  enabled: true,
  persisted: true,
  recoverable: false,
  concurrentExecution: false,
  misfirePolicy: 'fireAndProceed',
  type: 'cron',
  schedule: null,
  repeatInterval: 0,
  repeatCount: 0,
  startTime: null,
  endTime: null,
  timeZone: null,
  invokeLogLevel: 'info',
}

/** Each job has one trigger, with the job's name. */
function triggerView({ job, state, next, last, start, end }: JobTrigger): Resource {
  return {
    _id: job,
    name: job,
    group: 'scheduler-service-group',
    jobName: job,
    job_key: job,
    state,
    next_fire_time: next,
    nextFireTime: dateOf(next),
    previousFireTime: dateOf(last),
    startTime: dateOf(start),
    endTime: dateOf(end),
  }
}

/**
 * `scheduler/trigger`, `scheduler/waitingTriggers` and `scheduler/acquiredTriggers`: when jobs run next. Waiting triggers
 * wait for their time; acquired triggers are those of running jobs.
 */
export function triggerProvider(
  scheduler: Scheduler,
  states?: readonly JobTrigger['state'][],
): ResourceProvider {
  async function triggers(): Promise<Resource[]> {
    const found: Resource[] = []
    for (const job of scheduler.all()) {
      const trigger = await scheduler.triggerOf(job)
      if (trigger && (states === undefined || states.includes(trigger.state)))
        found.push(triggerView(trigger))
    }
    return found
  }
  return {
    async read(path) {
      if (path === '') return { _id: '', triggers: await triggers() }
      const [id, ...deeper] = splitPath(path)
      const trigger = deeper.length > 0 ? undefined : (await triggers()).find(({ _id }) => _id === id)
      if (!trigger) throw new Problem('NOT_FOUND', `There is no such trigger of a job "${path}"`)
      return trigger
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `${path} is a trigger, not a set`)
      return queryCollection(await triggers(), query)
    },
  }
}

async function actOnAll(scheduler: Scheduler, name: string): Promise<Json> {
  if (name !== 'pauseJobs' && name !== 'resumeJobs') {
    const allowed = 'listCurrentlyExecutingJobs, pauseJobs, resumeJobs'
    throw new Problem('BAD_REQUEST', `unknown action ${name} on scheduler/job; allowed: ${allowed}`)
  }
  await scheduler.pauseAll(name === 'pauseJobs')
  return { success: true }
}

const validate = 'validateQuartzCronExpression'

/** `scheduler?_action=validateQuartzCronExpression`, also on `scheduler/job`. */
export const schedulerProvider: ResourceProvider = {
  async action(path, action) {
    if (path !== '' || action.name !== validate)
      throw new Problem('BAD_REQUEST', `scheduler offers the action ${validate}`)
    return validity(action)
  },
}

function validity({ content, parameters }: ResourceAction): Json {
  const expression = (isJsonObject(content) ? content.cronExpression : undefined) ?? parameters.cronExpression
  if (typeof expression !== 'string') throw new Problem('BAD_REQUEST', 'the action needs cronExpression')
  try {
    parseCron(expression)
    return { valid: true }
  } catch (error) {
    return { valid: false, message: asProblem(error).message }
  }
}
