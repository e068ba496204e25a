import { matches } from '../model/filter-evaluate.ts'
import type { Json, JsonObject } from '../model/json.ts'
import { asProblem, Problem } from '../model/problem.ts'
import type { Repository, StoredObject } from '../repository/repository.ts'
import type { Resource, ResourceProvider } from '../router/resources.ts'
import { parseCron } from './cron.ts'
import { type Job, readJob } from './job.ts'
import { jobs, type Scheduler, unknownJob } from './scheduler.ts'

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
  async function shown({ id, content, enabled }: Job, rev: string | undefined): Promise<Resource> {
    const job = (await scheduler.all()).find((one) => one.id === id)
    const next = job && enabled ? await scheduler.nextRun(job) : undefined
    return {
      _id: id,
      ...(rev === undefined ? {} : { _rev: rev }),
      ...content,
      triggers: next === undefined ? [] : [{ next_fire_time: next, job_key: id }],
      nextRunDate: next === undefined ? null : new Date(next).toISOString(),
    }
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
    async query(path, { filter }) {
      if (path !== '') throw new Problem('NOT_IMPLEMENTED', `scheduler/job/${path} is a job, not a set`)
      const all: Resource[] = []
      for (const job of await scheduler.all()) all.push(await shown(job, undefined))
      return { result: all.filter((job) => matches(filter, job)), cookie: null }
    },
    create: (path, id, content) => {
      const chosen = id ?? (typeof content._id === 'string' ? content._id : undefined)
      if (path !== '' || !chosen)
        throw new Problem('BAD_REQUEST', 'a job needs an id: PUT scheduler/job/{id}')
      return write(chosen, content, undefined, 'create')
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

async function actOnAll(scheduler: Scheduler, name: string): Promise<Json> {
  if (name === 'listCurrentlyExecutingJobs') return [...scheduler.running()]
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
