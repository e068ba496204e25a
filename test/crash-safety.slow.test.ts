import { once } from 'node:events'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../src/model/json.ts'
import { type RunObject, root, TestProject } from './support/project.ts'
import { disturbed, endState, restore, type Town, town } from './support/town.ts'

/**
 * The real process is killed at every named step and at steps chosen at random, killed again while it repairs that, and
 * then left alone: links, accounts and files are those of an undisturbed run. Between them the suites below
 * kill more than 200 times.
 */
interface Fault {
  readonly kind: 'kill' | 'fail' | 'slow'
  readonly step: string
  readonly moment: 'before' | 'after'
  /** Which time of the step, from 1. */
  readonly at: number
  readonly ms?: number
}

const faults = join(root, 'test/support/faults.js')

/** Runs the reconciliation with a fault; false if it ended by itself. */
async function disturb(project: TestProject, fault: Fault): Promise<boolean> {
  const child = project.start(disturbed, {
    NODE_OPTIONS: `--import ${faults}`,
    SYNCLINE_FAULT: JSON.stringify(fault),
  })
  child.stdout.resume()
  child.stderr.resume()
  const [, signal] = await once(child, 'exit')
  return signal === 'SIGKILL'
}

/** How often each step is taken by an undisturbed run. */
function stepsOf(project: TestProject): Record<string, number> {
  const trace = project.path('trace.json')
  const { code, err } = project.syncline(disturbed, {
    NODE_OPTIONS: `--import ${faults}`,
    SYNCLINE_TRACE: trace,
  })
  expect(code, err).toBe(0)
  return JSON.parse(project.read('trace.json'))
}

function random(upTo: number): number {
  return 1 + Math.floor(Math.random() * upTo)
}

const trials: [what: string, kind: Town, settings: JsonObject, kills: number][] = [
  ['a file, page by page', 'file', {}, 50],
  ['a file, object by object', 'file', { taskThreads: 1 }, 60],
  ['managed objects, in one transaction a page', 'managed', {}, 40],
  [
    'managed objects with hooks between the writes',
    'managed',
    { onLink: { type: 'text/javascript', source: '1' }, onUnlink: { type: 'text/javascript', source: '1' } },
    60,
  ],
]

describe.each(trials)('a run into %s', (_what, kind, settings, kills) => {
  it(`killed ${kills} times ends like an undisturbed one`, async () => {
    using template = await town(kind, settings)
    using undisturbed = new TestProject()
    restore(undisturbed, template)
    const counts = stepsOf(undisturbed)
    const wanted = endState(undisturbed)
    expect(wanted.intents).toBe(0)
    let done = 0
    const named = Object.entries(counts).flatMap(([step, count]) =>
      (['before', 'after'] as const).map(
        (moment): Fault => ({ kind: 'kill', step, moment, at: random(count) }),
      ),
    )
    const anywhere = (): Fault => ({
      kind: 'kill',
      step: 'any',
      moment: Math.random() < 0.5 ? 'before' : 'after',
      at: random(counts.any as number),
    })
    const worker = async () => {
      using project = new TestProject()
      while (done < kills) {
        restore(project, template)
        const played = [named.pop() ?? anywhere(), anywhere()]
        // The second one hits the repair, which may be shorter than the run; then it hits nothing.
        for (const fault of played) if (await disturb(project, fault)) done++
        const run = project.json<RunObject>(...disturbed.slice(0, 2))
        expect([run.state, run.statusSummary.FAILURE], JSON.stringify(played)).toEqual(['SUCCESS', 0])
        expect(endState(project), JSON.stringify(played)).toEqual(wanted)
      }
    }
    await Promise.all([worker(), worker()])
    expect(done).toBeGreaterThanOrEqual(kills)
  })
})

describe('a target', () => {
  it.each<[string, Omit<Fault, 'at' | 'step'>]>([
    ['whose write fails', { kind: 'fail', moment: 'before' }],
    ['whose write fails after it took effect', { kind: 'fail', moment: 'after' }],
    ['that answers slowly', { kind: 'slow', moment: 'before', ms: 300 }],
  ])('%s: the next run completes what this one left', async (_what, fault) => {
    using template = await town('file')
    using undisturbed = new TestProject()
    restore(undisturbed, template)
    const { target = 0 } = stepsOf(undisturbed)
    const wanted = endState(undisturbed)
    using project = new TestProject()
    for (let at = 1; at <= target; at++) {
      restore(project, template)
      await disturb(project, { ...fault, step: 'target', at })
      expect(project.json<RunObject>('recon', 'town').state).toBe('SUCCESS')
      expect(endState(project)).toEqual(wanted)
    }
  })

  it('that takes effect after its time is over: nothing is done twice', async () => {
    using template = await town('file')
    using undisturbed = new TestProject()
    restore(undisturbed, template)
    stepsOf(undisturbed)
    const wanted = endState(undisturbed)
    template.edit('conf/provisioner.openicf-out.json', (text) =>
      text.replace(
        '"name": "out"',
        '"name": "out", "operationTimeout": { "CREATE": 4, "UPDATE": 4, "DELETE": 4 }',
      ),
    )
    using project = new TestProject()
    for (const at of [1, 2]) {
      restore(project, template)
      await disturb(project, { kind: 'slow', moment: 'before', step: 'target', at, ms: 400 })
      project.edit('conf/provisioner.openicf-out.json', (text) =>
        text.replace(/ "operationTimeout".*?},/, ''),
      )
      expect(project.json<RunObject>('recon', 'town').state).toBe('SUCCESS')
      expect(endState(project)).toEqual(wanted)
    }
  })
})
