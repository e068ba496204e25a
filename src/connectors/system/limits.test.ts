import { describe, expect, it } from 'vitest'
import type { Json } from '../../model/json.ts'
import { ConnectorError, type ErrorKind } from '../kit/errors.ts'
import type { Clock } from '../kit/kind.ts'
import { type CallLimits, Calls } from './calls.ts'
import type { OperationName } from './operation.ts'
import { rateOf, ratesOf } from './pace.ts'

/** A clock that stands still but for those who sleep. */
function clockAt(start = 0): Clock & { time: number; readonly slept: number[] } {
  return {
    time: start,
    slept: [],
    now() {
      return this.time
    },
    async sleep(milliseconds, signal) {
      signal?.throwIfAborted()
      this.slept.push(milliseconds)
      this.time += milliseconds
    },
  }
}

/** Answers after so many failures of a kind. */
function failing(times: number, kind: ErrorKind = 'connection', retryAfter?: number) {
  const asked = { times: 0 }
  const work = async () => {
    asked.times++
    if (asked.times <= times)
      throw new ConnectorError(kind, 'no answer', retryAfter === undefined ? {} : { retryAfter })
    return 'answer'
  }
  return { asked, work }
}

function operation(name: OperationName = 'GET') {
  return { system: 'hr', name, objectType: 'account', timeout: undefined } as const
}

function calls(limits: CallLimits, clock = clockAt()) {
  return new Calls(limits, clock, () => 0.5)
}

describe('a call that fails', () => {
  it('is not tried again where nothing is configured', async () => {
    const { asked, work } = failing(1)
    await expect(calls({}).call(operation(), undefined, work)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(asked.times).toBe(1)
  })

  it('is tried again after longer and longer pauses, and then fails', async () => {
    const clock = clockAt()
    const limits = { retries: 3, firstDelay: 100, longestDelay: 300 }
    const { asked, work } = failing(9)
    await expect(calls(limits, clock).call(operation(), undefined, work)).rejects.toMatchObject({
      detail: { retryable: true, system: 'hr' },
    })
    expect(asked.times).toBe(4)
    expect(clock.slept).toEqual([75, 150, 225])
    expect(await calls(limits).call(operation(), undefined, failing(3).work)).toBe('answer')
  })

  it.each<[what: string, name: OperationName, kind: ErrorKind]>([
    ['it may have been done', 'CREATE', 'connection'],
    ['it may have been done', 'UPDATE', 'timeout'],
    ['it counts against the account', 'AUTHENTICATE', 'connection'],
    ['the system has refused it', 'SEARCH', 'permission'],
    ['it is not known whether it would help', 'SEARCH', 'failed'],
  ])('is not tried again if %s: %s, %s', async (_, name, kind) => {
    const { asked, work } = failing(1, kind)
    await expect(calls({ retries: 3 }).call(operation(name), undefined, work)).rejects.toThrow('no answer')
    expect(asked.times).toBe(1)
  })

  it('is tried again when the system says, unless that is too long', async () => {
    const clock = clockAt()
    const limits = { retries: 1, firstDelay: 100, longestDelay: 5000 }
    await calls(limits, clock).call(operation(), undefined, failing(1, 'busy', 2000).work)
    expect(clock.slept).toEqual([2050])
    const late = calls(limits).call(operation(), undefined, failing(1, 'busy', 60_000).work)
    await expect(late).rejects.toThrow('no answer')
  })

  it('is not tried again once its caller has given up', async () => {
    const stop = new AbortController()
    const work = async () => {
      stop.abort(new Error('enough'))
      throw new ConnectorError('connection', 'no answer')
    }
    await expect(calls({ retries: 3 }).call(operation(), stop.signal, work)).rejects.toThrow('enough')
  })

  it('at the beginning of a stream begins it again; in its midst it fails', async () => {
    let begun = 0
    const start = (failsAt: number) =>
      async function* () {
        begun++
        for (let page = 0; page < 3; page++) {
          if (page === failsAt && begun === 1) throw new ConnectorError('connection', 'no answer')
          yield page
        }
      }
    const limited = calls({ retries: 2 })
    expect(await Array.fromAsync(limited.stream(operation('SEARCH'), undefined, start(0)))).toEqual([0, 1, 2])
    begun = 0
    const broken = Array.fromAsync(limited.stream(operation('SEARCH'), undefined, start(1)))
    await expect(broken).rejects.toThrow('no answer')
    expect(begun).toBe(1)
  })
})

describe('a system that does not answer', () => {
  it('is left alone for a while, then asked once, then as before', async () => {
    const clock = clockAt()
    const limited = calls({ breakAfter: 2, breakFor: 1000 }, clock)
    const { asked, work } = failing(3)
    const ask = () => limited.call(operation(), undefined, work)
    for (let call = 0; call < 4; call++) await expect(ask()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(asked.times).toBe(2)
    clock.time += 1000
    await expect(ask()).rejects.toThrow('no answer')
    await expect(ask()).rejects.toThrow('did not answer 2 times in a row')
    expect(asked.times).toBe(3)
    clock.time += 1000
    expect([await ask(), await ask()]).toEqual(['answer', 'answer'])
  })

  it('is asked by one caller at a time when the while is over', async () => {
    const clock = clockAt()
    const limited = calls({ breakAfter: 1, breakFor: 1000 }, clock)
    await expect(limited.call(operation(), undefined, failing(1).work)).rejects.toThrow('no answer')
    clock.time += 1000
    const answer = Promise.withResolvers<string>()
    const first = limited.call(operation(), undefined, () => answer.promise)
    await expect(limited.call(operation(), undefined, async () => 'second')).rejects.toThrow('in a row')
    answer.resolve('first')
    expect(await first).toBe('first')
    expect(await limited.call(operation(), undefined, async () => 'third')).toBe('third')
  })

  it('has answered if it refuses', async () => {
    const limited = calls({ breakAfter: 2 })
    for (const kind of ['connection', 'permission', 'connection', 'permission'] as const)
      await expect(limited.call(operation(), undefined, failing(1, kind).work)).rejects.toThrow('no answer')
    expect(await limited.call(operation(), undefined, async () => 'answer')).toBe('answer')
  })
})

describe('a test', () => {
  it('is made although the system is left alone, and lets the others follow if it succeeds', async () => {
    const limited = calls({ breakAfter: 1, breakFor: 1000 })
    await expect(limited.call(operation(), undefined, failing(1).work)).rejects.toThrow('no answer')
    await expect(limited.call(operation(), undefined, async () => 'answer')).rejects.toThrow('in a row')
    expect(await limited.call(operation('TEST'), undefined, async () => 'tested')).toBe('tested')
    expect(await limited.call(operation(), undefined, async () => 'answer')).toBe('answer')
  })

  it('is made once, and at once', async () => {
    const clock = clockAt()
    const limited = calls({ retries: 3 }, clock)
    await expect(
      limited.call(operation('DELETE'), undefined, failing(1, 'busy', 5000).work),
    ).rejects.toThrow()
    const { asked, work } = failing(9)
    await expect(limited.call(operation('TEST'), undefined, work)).rejects.toThrow('no answer')
    expect([asked.times, clock.slept]).toEqual([1, []])
  })
})

describe('a system that says when it takes requests again', () => {
  it('is left alone until then by all calls, not only by the one that was told', async () => {
    const clock = clockAt()
    const limited = calls({}, clock)
    await expect(
      limited.call(operation('UPDATE'), undefined, failing(1, 'busy', 2000).work),
    ).rejects.toThrow()
    expect(await limited.call(operation('SEARCH'), undefined, async () => clock.now())).toBe(2000)
  })

  it('for longer than longestDelay fails the calls at once, and says how long', async () => {
    const limited = calls({ longestDelay: 5000 })
    await expect(limited.call(operation('GET'), undefined, failing(1, 'busy', 60_000).work)).rejects.toThrow()
    await expect(limited.call(operation('GET'), undefined, async () => 'answer')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The system takes no requests for another 60 s, as it says itself',
    })
  })
})

describe('calls at a time', () => {
  it('are as many as concurrency allows; the others follow in their order', async () => {
    const limited = calls({ concurrency: 2 })
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<number>())
    const begun: number[] = []
    const ends = gates.map((gate, n) =>
      limited.call(operation(), undefined, () => {
        begun.push(n)
        return gate.promise
      }),
    )
    await expect.poll(() => begun).toEqual([0, 1])
    gates[1]?.resolve(1)
    await expect.poll(() => begun).toEqual([0, 1, 2])
    for (const [n, gate] of gates.entries()) gate.resolve(n)
    expect(await Promise.all(ends)).toEqual([0, 1, 2, 3])
  })

  it('who gives up waiting takes nobody’s turn', async () => {
    const limited = calls({ concurrency: 1 })
    const gate = Promise.withResolvers<string>()
    const first = limited.call(operation(), undefined, () => gate.promise)
    const stop = new AbortController()
    const second = limited.call(operation(), stop.signal, async () => 'second')
    const third = limited.call(operation(), undefined, async () => 'third')
    stop.abort(new Error('enough'))
    await expect(second).rejects.toThrow('enough')
    gate.resolve('first')
    expect(await Promise.all([first, third])).toEqual(['first', 'third'])
  })
})

describe('a rate', () => {
  it.each<[given: Json, rate: number | undefined]>([
    ['30/sec', 30],
    ['30/s', 30],
    [' 90 / min ', 1.5],
    ['7200/hour', 2],
    ['86400/day', 1],
    [0.5, 0.5],
    ['', undefined],
    [null, undefined],
  ])('%j is %s requests in a second', (given, rate) => {
    expect(rateOf(given, [])).toBe(rate)
  })

  it.each(['fast', '30', '30/week', '0/sec', '-1/sec', 0, -1, true])('%j is none', (given) => {
    expect(() => rateOf(given, ['resilience', 'readRateLimit'])).toThrow(/readRateLimit is .*30\/sec/)
  })
})

describe('requests in a second', () => {
  it('of all reads, and of all writes, count together', async () => {
    const clock = clockAt()
    const rates = ratesOf({ resilience: { readRateLimit: '4/sec', writeRateLimit: '60/min' } })
    const limited = calls({ rates }, clock)
    const times = []
    for (const name of ['GET', 'SEARCH', 'CREATE', 'UPDATE', 'SYNC'] as const)
      times.push(await limited.call(operation(name), undefined, async () => clock.now()))
    expect(times).toEqual([0, 250, 250, 1250, 1250])
  })

  it('are as many as the operation allows; a page of writes is as many as it has', async () => {
    const clock = clockAt()
    const limited = calls({ rates: { byOperation: { GET: 4, UPDATE: 10 } } }, clock)
    const work = async () => clock.now()
    const times = []
    for (let call = 0; call < 3; call++) times.push(await limited.call(operation(), undefined, work))
    expect(times).toEqual([0, 250, 500])
    await limited.call({ ...operation('UPDATE'), requests: 5 }, undefined, work)
    expect(await limited.call(operation('UPDATE'), undefined, work)).toBe(1000)
    expect(await limited.call(operation('DELETE'), undefined, work)).toBe(1000)
  })
})
