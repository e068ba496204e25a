import { v7 as timeOrderedId } from 'uuid'
import type { Json, JsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { Repository, StoredObject } from '../repository/repository.ts'
import { queryCollection } from '../router/collection.ts'
import type { Resource, ResourceProvider } from '../router/resources.ts'
import { parseCron } from './cron.ts'
import { type Job, readJob } from './job.ts'
import { type JobTrigger, jobs, type Scheduler, unknownJob } from './scheduler.ts'

/**
 * `scheduler/job` (platform specification §8): the jobs of the configuration and those made here. A job of a file is changed in
 * its file; what is made here is kept in the store.
 */
export function jobProvider(repository: Repository, scheduler: Scheduler): ResourceProvider {
  const { objects } = repository
  async function found(id: string): Promise<{ readonly job: Job; readonly rev: string | undefined }> {
    const job = (await scheduler.all()).find((one) => one.id === id)
    if (!job) throw unknownJob(id)
    const stored = (await objects.read(jobs, [id])).get(id)
    return { job, rev: scheduler.isConfigured(id) ? undefined : stored?._rev }
  }
  async function shown({ id, content }: Job, rev: string | undefined): Promise<Resource> {
    const job = (await scheduler.all()).find((one) => one.id === id)
    const trigger = job && (await scheduler.triggerOf(job))
    const next = job && (await scheduler.nextRun(job))
    const { _id, _rev, ...stated } = content
    return {
      _id: id,
      ...(rev === undefined ? {} : { _rev: rev }),
      ...defaults,
      ...stated,
      triggers: trigger ? [shownTrigger(trigger)] : [],
      nextRunDate: next === undefined ? null : new Date(next).toISOString(),
    }
  }
  async function all(): Promise<Resource[]> {
    const found: Resource[] = []
    for (const job of await scheduler.all()) found.push(await shown(job, undefined))
    return found
  }
  async function write(
    id: string,
    content: JsonObject,
    rev: string | undefined,
    operation: 'create' | 'update',
  ) {
    const { _id, _rev, triggers, nextRunDate, ...stated } = content
    const job = readJob(id, stated)
    if (scheduler.isConfigured(id)) throw ofFile(id)
    const [outcome] = await objects.write(jobs, [{ operation, id, rev, content: stated }])
    if (!outcome?.ok) throw refused(id, outcome?.reason)
    await scheduler.changed(id)
    return shown(job, outcome.object._rev)
  }
  return {
    async read(id) {
      const { job, rev } = await found(id)
      return shown(job, rev)
    },
    async query(path, query) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `scheduler/job/${path} is a job, not a set`)
      return queryCollection(await all(), query)
    },
    create: (path, id, content) => {
      if (path !== '') throw new Problem('BAD_REQUEST', `scheduler/job/${path} is a job, not a set`)
      const stated = typeof content._id === 'string' && content._id !== '' ? content._id : undefined
      return write(id ?? stated ?? timeOrderedId(), content, undefined, 'create')
    },
    async update(id, rev, content) {
      await found(id)
      return write(id, content, rev, 'update')
    },
    async delete(id, rev) {
      const { job } = await found(id)
      if (scheduler.isConfigured(id)) throw ofFile(id)
      const last = await shown(job, undefined)
      const [outcome] = await objects.write(jobs, [{ operation: 'delete', id, rev }])
      if (!outcome?.ok) throw refused(id, outcome?.reason)
      await scheduler.changed(id)
      return last
    },
    async action(id, { name }) {
      if (id === '' && name === 'listCurrentlyExecutingJobs') {
        const running = new Set(scheduler.running())
        return (await all()).filter(({ _id }) => running.has(_id))
      }
      if (id === '') return actOnAll(scheduler, name)
      const { job } = await found(id)
      if (name === 'trigger') scheduler.trigger(job)
      else if (name === 'pause' || name === 'resume') await scheduler.pause(job, name === 'pause')
      else
        throw new Problem('BAD_REQUEST', `unknown action ${name} on a job; allowed: trigger, pause, resume`)
      return { success: true }
    },
  }
}

/** What holds where a job says nothing (platform specification §8). */
const defaults: JsonObject = {
  ...{ enabled: true, persisted: true, recoverable: false, concurrentExecution: false },
  ...{ misfirePolicy: 'fireAndProceed', type: 'cron', schedule: null, repeatInterval: 0, repeatCount: 0 },
  ...{ startTime: null, endTime: null, timeZone: null, invokeLogLevel: 'info' },
}

/** A job has one trigger, which has its name. */
function shownTrigger({ job, state, next, last, start, end }: JobTrigger): Resource {
  const date = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString())
  return {
    _id: job,
    ...{ name: job, group: 'scheduler-service-group', jobName: job, job_key: job, state },
    ...{ next_fire_time: next, nextFireTime: date(next), previousFireTime: date(last) },
    ...{ startTime: date(start), endTime: date(end) },
  }
}

/**
 * `scheduler/trigger`, `scheduler/waitingTriggers` and `scheduler/acquiredTriggers`: when jobs run next; of the last two, those
 * that wait for their time, and those whose job is running.
 */
export function triggerProvider(
  scheduler: Scheduler,
  states?: readonly JobTrigger['state'][],
): ResourceProvider {
  async function triggers(): Promise<Resource[]> {
    const found: Resource[] = []
    for (const job of await scheduler.all()) {
      const trigger = await scheduler.triggerOf(job)
      if (trigger && (states === undefined || states.includes(trigger.state)))
        found.push(shownTrigger(trigger))
    }
    return found
  }
  return {
    async read(id) {
      const trigger = (await triggers()).find(({ _id }) => _id === id)
      if (!trigger) throw new Problem('NOT_FOUND', `There is no such trigger of a job "${id}"`)
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

function ofFile(id: string): Problem {
  return new Problem('FORBIDDEN', `the job "${id}" is that of conf/schedule-${id}.json: change it there`)
}

function refused(id: string, reason: 'exists' | 'missing' | 'changed' | undefined): Problem {
  if (reason === 'missing') return unknownJob(id)
  const fact = reason === 'exists' ? 'exists already' : 'has changed since the revision given'
  return new Problem('PRECONDITION_FAILED', `the job "${id}" ${fact}`)
}

/** `scheduler?_action=validateQuartzCronExpression`. */
export const schedulerProvider: ResourceProvider = {
  async action(path, { name, content, parameters }) {
    if (path !== '' || name !== 'validateQuartzCronExpression')
      throw new Problem('BAD_REQUEST', 'scheduler offers the action validateQuartzCronExpression')
    const expression = (content as StoredObject | null)?.cronExpression ?? parameters.cronExpression
    if (typeof expression !== 'string') throw new Problem('BAD_REQUEST', 'the action needs cronExpression')
    try {
      parseCron(expression)
      return { valid: true }
    } catch (error) {
      return { valid: false, message: asProblem(error).message }
    }
  },
}
