/** Hooks around the writes of an operation, as engine §4.2 has them. */
import { describe, expect, it } from 'vitest'
import { script } from '../../../testing/script.ts'
import { openWorld } from '../../testing/world.ts'

const properties = [{ source: 'mail', target: 'mail' }]
const ann = { _id: 'p1', mail: 'ann@x', name: 'Ann' }

describe('onError', () => {
  it('is told what happened to whom, as the error of an answer, the original error in its detail', async () => {
    const onCreate = script("throw {code: 403, message: 'not her', detail: {why: 'rules'}}")
    const onError = script(
      "openidm.create('managed/person', 'told', {note: JSON.stringify([error, sourceId, situation, linkQualifier])})",
    )
    await using world = await openWorld({ mapping: { properties, onCreate, onError } })
    await world.persons(ann)
    await world.run()
    const [error, ...where] = JSON.parse(String((await world.all('managed/person')).told?.note))
    expect(where).toEqual(['p1', 'ABSENT', 'default'])
    expect(error).toEqual({
      code: 409,
      reason: 'Conflict',
      message: expect.stringContaining('onCreate script encountered exception: not her'),
      detail: { code: 403, message: 'not her', detail: { why: 'rules' } },
    })
  })

  it('that fails itself is logged, and the first failure stays the one that counts', async () => {
    const [onCreate, onError] = [script("throw 'first'"), script("throw 'second'")]
    await using world = await openWorld({ mapping: { properties, onCreate, onError } })
    await world.persons(ann)
    const { run } = await world.run()
    expect(world.logged).toEqual([expect.stringMatching(/^error .*onError script .*second/)])
    const [failed] = (await world.audit(run.id)).filter(({ entryType }) => entryType === 'entry')
    expect(failed?.message).toContain('first')
  })
})
