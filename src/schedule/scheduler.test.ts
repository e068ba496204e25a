import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { everything } from '../model/filter/filter.ts'
import type { JsonObject } from '../model/json.ts'
import { Problem } from '../model/problem.ts'
import { LocalLocks } from '../repository/local/locks.ts'
import type { Locks } from '../repository/locks.ts'
import type { Repository } from '../repository/repository.ts'
import { queryCollection } from '../router/collection.ts'
import type { RequestContext, Resources } from '../router/resources.ts'
import { router } from '../router/router.ts'
import { type TemporaryStore, temporaryStore } from '../testing/store.ts'
import { readJob } from './job.ts'
import { jobProvider, schedulerProvider, triggerProvider } from './resource.ts'
import { Scheduler, type Services } from './scheduler.ts'

/** Jobs by a clock that the tests turn (platform §8). */
const noon = Date.UTC(2026, 0, 1, 12)
const minute = 60_000
const admin: RequestContext = { external: true, userId: 'openidm-admin', roles: [], transactionId: 't' }

let store: TemporaryStore
let repository: Repository
let now: number
let ran: string[]
const logged: string[] = []
/** What a run waits for, if it is to take long. */
let busy: Promise<void> | undefined

beforeEach(async () => {
  store = await temporaryStore()
  repository = store.repository
  now = noon
  ran = []
  busy = undefined
})
afterEach(async () => {
  await store[Symbol.asyncDispose]()
})

const services: Services = {
  sync: async ({ mapping }) => {
    ran.push(`${mapping} ${new Date(now).toISOString().slice(11, 19)}`)
    await busy
    return null
  },
  provisioner: async () => {
    throw new Error('the directory is down')
  },
  script: async () => null,
  taskscanner: async () => null,
}

const everyHour = {
  schedule: '0 0 * * * ?',
  timeZone: 'UTC',
  invokeService: 'sync',
  invokeContext: { mapping: 'm' },
}

function scheduler(jobs: Readonly<Record<string, JsonObject>> = {}): Scheduler {
  const configured = Object.entries(jobs).map(([id, content]) => readJob(id, content))
  const log = (_level: string, message: string) => void logged.push(message)
  return new Scheduler({ repository, services, log, now: () => now }, configured)
}

/** Turns the clock to a time and lets everything happen that is due. */
async function at(own: Scheduler, time: number): Promise<string[]> {
  now = time
  await own.tick()
  if (!busy) await own.idle()
  return ran.splice(0)
}

describe('a job', () => {
  it('runs when it is due, once each time', async () => {
    await using own = scheduler({ hourly: everyHour })
    await own.start()
    await own.idle()
    expect(ran.splice(0)).toEqual(['m 12:00:00'])
    expect(await at(own, noon + 59 * minute)).toEqual([])
    expect(await at(own, noon + 60 * minute)).toEqual(['m 13:00:00'])
    expect(await at(own, noon + 60 * minute + 1)).toEqual([])
  })

  it('that is simple runs at its start and so often again at its interval', async () => {
    const content = { ...everyHour, type: 'simple', repeatInterval: 10 * minute, repeatCount: 2 }
    await using own = scheduler({ simple: content })
    await own.start()
    const all = [...ran.splice(0)]
    for (let step = 1; step <= 60; step++) all.push(...(await at(own, noon + step * minute)))
    expect(all).toEqual(['m 12:00:00', 'm 12:10:00', 'm 12:20:00'])
  })

  it('keeps to startTime and endTime', async () => {
    const times = { startTime: '2026-01-01T13:30:00Z', endTime: '2026-01-01T15:00:00Z' }
    await using own = scheduler({ hourly: { ...everyHour, ...times } })
    await own.start()
    const all: string[] = []
    for (let hour = 0; hour < 6; hour++) all.push(...(await at(own, noon + hour * 60 * minute)))
    expect(all).toEqual(['m 14:00:00', 'm 15:00:00'])
  })

  it.each([
    ['by cron', { schedule: '0 0/10 * * * ?' }, ['m 08:40:00', 'm 08:50:00']],
    [
      'that is simple',
      { type: 'simple', repeatInterval: 10 * minute, repeatCount: -1 },
      ['m 08:41:00', 'm 08:51:00'],
    ],
  ])('%s goes on from the new time when the clock is set back', async (_, content, expected) => {
    await using own = scheduler({ often: { ...everyHour, ...content } })
    await own.start()
    await at(own, noon + 10 * minute)
    const back = noon - 209 * minute
    const all = await at(own, back)
    for (let step = 1; step < 25; step++) all.push(...(await at(own, back + step * minute)))
    expect(all).toEqual(expected)
    expect(logged.at(-1)).toContain('the clock was set back')
  })

  it('fires no time twice when the clock is corrected by some seconds', async () => {
    await using own = scheduler({ hourly: everyHour })
    await own.start()
    await own.idle()
    ran.length = 0
    expect(await at(own, noon - 30_000)).toEqual([])
    expect(await at(own, noon)).toEqual([])
    expect(await at(own, noon + 60 * minute)).toEqual(['m 13:00:00'])
  })

  it('runs once, and no storm follows, when the clock is set forward, and goes on when it is set back again', async () => {
    await using own = scheduler({ hourly: everyHour })
    await own.start()
    await own.idle()
    ran.length = 0
    const year = 365 * 24 * 60 * minute
    expect(await at(own, noon + year + minute)).toEqual(['m 12:01:00'])
    expect(await at(own, noon + year + 2 * minute)).toEqual([])
    expect(await at(own, noon + 3 * minute)).toEqual([])
    expect(await at(own, noon + 60 * minute)).toEqual(['m 13:00:00'])
  })

  it('that is switched off does not run', async () => {
    await using own = scheduler({ hourly: { ...everyHour, enabled: false } })
    await own.start()
    expect(await at(own, noon + 60 * minute)).toEqual([])
  })

  it('that fails is logged and audited, and runs again the next time', async () => {
    await using own = scheduler({
      live: { ...everyHour, invokeService: 'org.forgerock.openidm.provisioner' },
    })
    await own.start()
    await own.idle()
    expect(logged.at(-1)).toBe('schedule live: the directory is down')
    const { result } = await repository.audit.query('access', { filter: { kind: 'literal', value: true } })
    expect(result).toMatchObject([
      {
        request: { protocol: 'CREST', operation: 'ScheduledTask', detail: { id: 'live' } },
        response: { status: 'FAILED', detail: { reason: 'the directory is down' } },
      },
    ])
    expect(await own.nextRun((await own.all())[0] as never)).toBe(noon + 60 * minute)
  })
})

describe('a startTime without a zone', () => {
  it.each([
    ['2026-01-01T13:30:00', 'Europe/Berlin', '2026-01-01T12:30:00Z'],
    ['2026-07-01 13:30', 'Europe/Berlin', '2026-07-01T11:30:00Z'],
    ['2026-01-02', 'Asia/Tokyo', '2026-01-01T15:00:00Z'],
    ['2026-01-01T13:30:00.250+0200', 'Asia/Tokyo', '2026-01-01T11:30:00.250Z'],
    ['2026-01-01T13:30:00Z', 'Asia/Tokyo', '2026-01-01T13:30:00Z'],
  ])('%s is what the clock in %s shows', (startTime, zone, expected) => {
    expect(readJob('j', { ...everyHour, timeZone: zone, startTime }).start).toBe(Date.parse(expected))
  })
})

describe('a run that takes long', () => {
  const often = { ...everyHour, schedule: '0 * * * * ?' }

  it('is not met by another one; what it misses is one run, when it has ended', async () => {
    await using own = scheduler({ often })
    const { promise, resolve } = Promise.withResolvers<void>()
    busy = promise
    await own.start()
    expect(await at(own, noon + minute)).toEqual(['m 12:00:00'])
    expect(await at(own, noon + 3 * minute)).toEqual([])
    resolve()
    busy = undefined
    await own.idle()
    expect(await at(own, noon + 3 * minute + 2000)).toEqual(['m 12:03:02'])
    expect(await at(own, noon + 4 * minute)).toEqual(['m 12:04:00'])
  })

  it('may be met by another one with concurrentExecution', async () => {
    await using own = scheduler({ often: { ...often, concurrentExecution: true } })
    const { promise, resolve } = Promise.withResolvers<void>()
    busy = promise
    await own.start()
    await at(own, noon)
    await at(own, noon + minute)
    await new Promise((done) => setImmediate(done))
    expect(own.running()).toHaveLength(2)
    resolve()
  })
})

describe('a run of another process on the store', () => {
  const often = { ...everyHour, schedule: '0 * * * * ?', recoverable: true }
  const process = (locks: Locks) => {
    const options = { repository, services, locks, log: () => {}, now: () => now }
    return new Scheduler(options, [readJob('often', often)])
  }

  it('is neither met nor taken for one that died, until its process is gone', async () => {
    await using locks = new LocalLocks(repository)
    await using others = new LocalLocks(repository)
    await using one = process(locks)
    const { promise, resolve } = Promise.withResolvers<void>()
    busy = promise
    await one.start()
    await one.tick()
    expect(ran.splice(0)).toEqual(['m 12:00:00'])
    busy = undefined
    await using two = process(others)
    await two.start()
    expect(await at(two, noon + minute)).toEqual([])
    await (await locks.ownLease()).release()
    await using three = process(others)
    await three.start()
    await three.idle()
    expect(ran.splice(0).length).toBeGreaterThan(0)
    resolve()
  })
})

describe('what was missed while no process ran', () => {
  it.each([
    ['runs once, at once, with fireAndProceed', 'fireAndProceed', ['m 20:10:00']],
    ['does not run with doNothing', 'doNothing', []],
  ])('%s', async (_what, misfirePolicy, expected) => {
    const jobs = { hourly: { ...everyHour, misfirePolicy } }
    {
      await using before = scheduler(jobs)
      await before.start()
      await before.idle()
    }
    ran = []
    now = noon + 490 * minute
    await using after = scheduler(jobs)
    await after.start()
    await after.idle()
    expect(ran.splice(0)).toEqual(expected)
    expect(await at(after, noon + 540 * minute)).toEqual(['m 21:00:00'])
  })

  it('a schedule that was changed meanwhile begins anew', async () => {
    {
      await using before = scheduler({ hourly: everyHour })
      await before.start()
      await before.idle()
    }
    ran = []
    now = noon + 490 * minute
    await using after = scheduler({ hourly: { ...everyHour, schedule: '0 30 * * * ?' } })
    await after.start()
    expect(ran).toEqual([])
    expect(await at(after, noon + 510 * minute)).toEqual(['m 20:30:00'])
  })

  it.each([
    [true, ['m 12:10:00']],
    [false, []],
  ])(
    'a run that died with its process runs again if it is recoverable: %s',
    async (recoverable, expected) => {
      const jobs = { hourly: { ...everyHour, recoverable } }
      const dying = scheduler(jobs)
      const { promise, resolve } = Promise.withResolvers<void>()
      busy = promise
      await dying.start()
      ran = []
      busy = undefined
      now = noon + 10 * minute
      await using after = scheduler(jobs)
      await after.start()
      await after.idle()
      expect(ran).toEqual(expected)
      resolve()
      await dying[Symbol.asyncDispose]()
    },
  )
})

it('of two processes on one store one runs a job', async () => {
  await using one = scheduler({ hourly: everyHour })
  await using two = scheduler({ hourly: everyHour })
  await Promise.all([one.start(), two.start()])
  now = noon + 60 * minute
  ran = []
  await Promise.all([one.tick(), two.tick()])
  await Promise.all([one.idle(), two.idle()])
  expect(ran).toEqual(['m 13:00:00'])
})

/** `config/schedule`, as far as jobs see it: what is written there is configured when it is answered. */
function configuration(own: Scheduler): Resources {
  let revision = 0
  const kept = new Map(own.all().map(({ id, content }) => [id, { content, _rev: '0' }]))
  const write = async (id: string, content: JsonObject) => {
    kept.set(id, { content, _rev: String(++revision) })
    await own.configure([...kept].map(([each, { content }]) => readJob(each, content)))
    return shown(id)
  }
  const shown = (id: string) => {
    const { content, _rev } = kept.get(id) as { content: JsonObject; _rev: string }
    return { ...content, _id: `schedule/${id}`, _rev }
  }
  return router({
    config: {
      async query(_path, query) {
        return queryCollection([...kept.keys()].map(shown), query)
      },
    },
    'config/schedule': {
      async read(id) {
        return shown(id)
      },
      async create(_path, id = '', content) {
        if (kept.has(id)) throw new Problem('PRECONDITION_FAILED', `config/schedule/${id} exists already`)
        return write(id, content)
      },
      update: (id, _rev, content) => write(id, content),
      async delete(id) {
        kept.delete(id)
        await own.configure([...kept].map(([each, { content }]) => readJob(each, content)))
        return { _id: id }
      },
    },
  })
}

describe('scheduler/job', () => {
  const opened = async () => {
    const own = scheduler({ fromFile: everyHour })
    await own.start()
    await own.idle()
    ran = []
    return { own, provider: jobProvider(own, () => configuration(own)) }
  }
  const job = { ...everyHour, schedule: '0 30 * * * ?', invokeContext: { mapping: 'rest' } }

  it('makes, shows, replaces and deletes jobs, which run at once by their new schedule', async () => {
    const { own, provider } = await opened()
    await using _own = own
    const created = await provider.create?.('', 'mine', job, admin)
    expect(created).toMatchObject({ _id: 'mine', ...job, nextRunDate: '2026-01-01T12:30:00.000Z' })
    expect(await at(own, noon + 30 * minute)).toEqual(['rest 12:30:00'])
    await expect(provider.create?.('', 'mine', job, admin)).rejects.toMatchObject({
      code: 'PRECONDITION_FAILED',
    })
    await provider.update?.('mine', undefined, { ...job, schedule: '0 40 * * * ?' }, admin)
    expect(await at(own, noon + 40 * minute)).toEqual(['rest 12:40:00'])
    expect(await provider.delete?.('mine', undefined, admin)).toMatchObject({ _id: 'mine' })
    await expect(provider.read?.('mine', admin)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('lists all jobs with the time of their next run, and refuses one that is none', async () => {
    const { own, provider } = await opened()
    await using _own = own
    const page = await provider.query?.('', { filter: everything }, admin)
    expect(page?.result.map(({ _id, nextRunDate }) => [_id, nextRunDate])).toEqual([
      ['fromFile', '2026-01-01T13:00:00.000Z'],
    ])
    const wrong = provider.create?.('', 'wrong', { ...job, schedule: '0 61 * * * ?' }, admin)
    await expect(wrong).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect(own.job('wrong')).toBeUndefined()
  })

  it('triggers, pauses and resumes one, or all', async () => {
    const { own, provider } = await opened()
    await using _own = own
    const act = (id: string, name: string) =>
      provider.action?.(id, { name, content: null, parameters: {} }, admin)
    await act('fromFile', 'trigger')
    await own.idle()
    expect(ran.splice(0)).toEqual(['m 12:00:00'])
    await act('fromFile', 'pause')
    expect(await at(own, noon + 60 * minute)).toEqual([])
    await act('fromFile', 'resume')
    await own.idle()
    expect(ran.splice(0)).toEqual(['m 13:00:00'])
    await act('', 'pauseJobs')
    expect(await at(own, noon + 120 * minute)).toEqual([])
    await act('', 'resumeJobs')
    await own.idle()
    expect(ran.splice(0)).toEqual(['m 14:00:00'])
    expect(await act('', 'listCurrentlyExecutingJobs')).toEqual([])
    await expect(act('', 'explode')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('chooses an id where there is none', async () => {
    const { own, provider } = await opened()
    await using _own = own
    const created = await provider.create?.('', undefined, job, admin)
    const _id = String(created?._id)
    expect(_id).toMatch(/^[\w-]{20,}$/)
    expect(await provider.read?.(_id, admin)).toMatchObject({ enabled: true, persisted: true, type: 'cron' })
  })

  it('takes back what it showed', async () => {
    const { own, provider } = await opened()
    await using _own = own
    const shown = (await provider.create?.('', 'mine', job, admin)) as JsonObject
    expect(await provider.update?.('mine', undefined, shown, admin)).toMatchObject({
      ...shown,
      _rev: expect.any(String),
    })
    await expect(provider.update?.('absent', undefined, job, admin)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('queries a page of jobs in order', async () => {
    const { own, provider } = await opened()
    await using _own = own
    for (const id of ['b', 'a']) await provider.create?.('', id, job, admin)
    const query = { filter: everything, sortKeys: [{ pointer: ['_id'], descending: false }], pageSize: 2 }
    const page = await provider.query?.('', query, admin)
    expect([page?.result.map(({ _id }) => _id), page?.cookie]).toEqual([['a', 'b'], expect.any(String)])
  })

  it('shows what waits and what is running', async () => {
    const { own, provider } = await opened()
    await using _own = own
    const idsOf = async (...states: Parameters<typeof triggerProvider>[1] & object) => {
      const page = await triggerProvider(own, states).query?.('', { filter: everything }, admin)
      return page?.result.map(({ _id }) => _id)
    }
    await provider.create?.('', 'off', { ...job, enabled: false }, admin)
    const { promise, resolve } = Promise.withResolvers<void>()
    busy = promise
    await provider.create?.('', 'mine', job, admin)
    await at(own, noon + 30 * minute)
    expect(await idsOf('NORMAL', 'PAUSED')).toEqual(['fromFile'])
    expect(await idsOf('ACQUIRED')).toEqual(['mine'])
    const list = { name: 'listCurrentlyExecutingJobs', content: null, parameters: {} }
    expect(await provider.action?.('', list, admin)).toMatchObject([
      { _id: 'mine', schedule: '0 30 * * * ?' },
    ])
    resolve()
    await own.idle()
    expect(await triggerProvider(own).read?.('mine', admin)).toMatchObject({
      state: 'NORMAL',
      nextFireTime: '2026-01-01T13:30:00.000Z',
      previousFireTime: '2026-01-01T12:30:00.000Z',
    })
    await expect(triggerProvider(own).read?.('off', admin)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('says whether an expression is one', async () => {
    const validate = (cronExpression: string) =>
      schedulerProvider.action?.(
        '',
        { name: 'validateQuartzCronExpression', content: { cronExpression }, parameters: {} },
        admin,
      )
    expect(await validate('0 0/5 * * * ?')).toEqual({ valid: true })
    expect(await validate('0 0 0 * * *')).toMatchObject({ valid: false })
  })
})

describe('a job is refused', () => {
  it.each<[JsonObject, string, RegExp]>([
    [{ schedule: null }, 'schedule', /needs a Quartz expression/],
    [{ schedule: '* * * * *' }, 'schedule', /has 5 fields/],
    [{ type: 'hourly' }, 'type', /allowed are cron, simple/],
    [{ type: 'simple', repeatCount: -1 }, 'repeatInterval', /milliseconds between two runs/],
    [{ misfirePolicy: 'maybe' }, 'misfirePolicy', /allowed are fireAndProceed, doNothing/],
    [{ invokeService: 'workflow' }, 'invokeService', /there are: sync, provisioner, script/],
    [{ invokeService: null }, 'invokeService', /is no service/],
    [{ timeZone: 'Mars/Olympus' }, 'timeZone', /is no time zone/],
    [{ startTime: 'tomorrow' }, 'startTime', /ISO 8601/],
    [{ startTime: '2026-01-02', endTime: '2026-01-01' }, 'endTime', /before startTime/],
    [{ invokeContext: 'recon' }, 'invokeContext', /must be an object/],
  ])('for %o', (wrong, member, message) => {
    expect(() => readJob('j', { ...everyHour, ...wrong })).toThrow(
      expect.objectContaining({
        code: 'BAD_REQUEST',
        message: expect.stringMatching(message),
        finding: expect.objectContaining({ place: [member] }),
      }),
    )
  })
})
