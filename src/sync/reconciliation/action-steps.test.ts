import { describe, expect, it } from 'vitest'
import type { Action, Situation } from '../../mapping/situation.ts'
import type { JsonObject } from '../../model/json.ts'
import { script } from '../../testing/script.ts'
import { inSituation } from '../testing/situations.ts'

/**
 * Each action's steps, side by side (engine §4.3): which scripts run in which order, when the target is
 * written, and whether the object's link is there at each of these moments.
 */
const hooks = [
  ...['onMapping', 'onCreate', 'onUpdate', 'onDelete', 'onLink', 'onUnlink', 'postMapping', 'onError'],
] as const

/** Logs its name, and how many links there are at this moment. */
function saying(name: string): JsonObject {
  return script(
    `logger.info('${name} ' + openidm.query('repo/link', { _queryFilter: 'true' }).result.length + ' links')`,
  )
}

const linked = (step: string) => `${step} 1 links`
const unlinked = (step: string) => `${step} 0 links`
const written = 'the target is written'

const table: [Situation, Action, string[]][] = [
  [
    ...(['ABSENT', 'CREATE'] as const),
    [
      ...['onMapping', 'onCreate'].map(unlinked),
      written,
      unlinked('onLink'),
      ...['postMapping', 'postAction'].map(linked),
    ],
  ],
  [
    ...(['MISSING', 'CREATE'] as const),
    // The link is there and is led to the new target: there is no onLink.
    [...['onMapping', 'onCreate'].map(linked), written, ...['postMapping', 'postAction'].map(linked)],
  ],
  [
    ...(['CONFIRMED', 'UPDATE'] as const),
    [...['onMapping', 'onUpdate'].map(linked), written, ...['postMapping', 'postAction'].map(linked)],
  ],
  [
    ...(['FOUND', 'UPDATE'] as const),
    // The link comes before the mapping, contrary to the peers' documentation and like their code.
    [
      unlinked('onLink'),
      ...['onMapping', 'onUpdate'].map(linked),
      written,
      ...['postMapping', 'postAction'].map(linked),
    ],
  ],
  ['MISSING', 'UPDATE', ['postMapping', 'postAction'].map(linked)],
  [
    'UNQUALIFIED',
    'UPDATE',
    [...['onMapping', 'onUpdate'].map(linked), written, ...['postMapping', 'postAction'].map(linked)],
  ],
  ['SOURCE_MISSING', 'UPDATE', ['postMapping', 'postAction'].map(linked)],
  ['FOUND', 'LINK', [unlinked('onLink'), ...['postMapping', 'postAction'].map(linked)]],
  ['CONFIRMED', 'LINK', ['postMapping', 'postAction'].map(linked)],
  ['CONFIRMED', 'DELETE', [linked('onDelete'), written, linked('onUnlink'), unlinked('postAction')]],
  ['SOURCE_MISSING', 'DELETE', [linked('onDelete'), written, linked('onUnlink'), unlinked('postAction')]],
  ['UNASSIGNED', 'DELETE', [unlinked('onDelete'), written, unlinked('postAction')]],
  ['FOUND', 'DELETE', [unlinked('onDelete'), written, unlinked('postAction')]],
  ['MISSING', 'DELETE', [linked('onUnlink'), unlinked('postAction')]],
  ['AMBIGUOUS', 'DELETE', [unlinked('postAction')]],
  ['UNQUALIFIED', 'UNLINK', [linked('onUnlink'), unlinked('postAction')]],
  ['MISSING', 'UNLINK', [linked('onUnlink'), unlinked('postAction')]],
  ['ABSENT', 'UNLINK', [unlinked('postAction')]],
  ['CONFIRMED', 'REPORT', [linked('postAction')]],
  ['CONFIRMED', 'NOREPORT', [linked('postAction')]],
  ['CONFIRMED', 'IGNORE', []],
  ['CONFIRMED', 'ASYNC', []],
  ['CONFIRMED', 'EXCEPTION', []],
]

describe.each([
  ['inside the repository', false],
  ['outside', true],
])('with a target %s', (_where, external) => {
  it.each(table)('%s followed by %s takes these steps: %o', async (situation, action, steps) => {
    const taken: string[] = []
    await using world = await inSituation(situation, action, {
      external,
      settings: Object.fromEntries(hooks.map((name) => [name, saying(name)])),
      policy: { postAction: saying('postAction') },
      onWrite: () => taken.push(written),
      onSaid: (line) => taken.push(line),
    })
    taken.length = 0
    await world.run()
    expect(taken).toEqual(steps)
  })
})
