import { describe, expect, it } from 'vitest'
import type { ObjectWriteRequest, RequestContext } from '../../router/resources.ts'
import { script } from '../../testing/script.ts'
import { openTypes } from '../testing/scripted-types.ts'

const own: RequestContext = { external: false, userId: 'system', roles: [], transactionId: 't' }

/** People whose script makes their login from their name, in a page of their own or together. */
async function open(onCreate: string) {
  const said: string[] = []
  const text = { type: 'string' }
  const schema = {
    type: 'object',
    properties: {
      name: text,
      login: { ...text, searchable: true, policies: [{ policyId: 'unique' }] },
      pin: { ...text, encryption: { key: 'openidm-sym-default' } },
    },
  }
  const types = [{ name: 'user', schema, onCreate: script(onCreate) }]
  const world = await openTypes(types, (line) => said.push(line))
  const set = world.resources.objectSet('managed/user')
  const create = async (names: readonly string[]) => {
    const writes = names.map(
      (name): ObjectWriteRequest => ({
        ...{ operation: 'create', id: name, content: { name, pin: `${name}-1234` } },
      }),
    )
    const results = await set.writeMany(writes, own)
    return results.map((result) => (result.ok ? result.object.login : result.error.message))
  }
  return { ...world, create, said }
}

const computes = `
  if (object.name === 'bad') throw { code: 400, message: 'not this one' };
  object.login = object.name.slice(0, 3);`

describe('objects whose scripts only compute', () => {
  it('are written as one after the other: what fails fails alone, and unique values are told apart', async () => {
    const names = ['anna', 'bad', 'annabel', 'zoe', 'zoey', 'ben']
    await using together = await open(computes)
    await using apart = await open(`${computes} // openidm`)
    const outcomes = await together.create(names)
    expect(outcomes).toEqual([
      'ann',
      expect.stringContaining('not this one'),
      expect.stringContaining('olicy'),
      'zoe',
      expect.stringContaining('olicy'),
      'ben',
    ])
    expect(await apart.create(names)).toEqual(outcomes)
    const stored = await together.repository.objects.read('managed/user', names)
    expect([...stored.keys()].toSorted()).toEqual(['anna', 'ben', 'zoe'])
    expect(JSON.stringify([...stored.values()])).not.toContain('1234')
  })

  it('do not see one another: each script has variables of its own', async () => {
    await using world = await open('object.login = typeof seen + object.name; seen = object.name')
    expect(await world.create(['a', 'b', 'c'])).toEqual(['undefineda', 'undefinedb', 'undefinedc'])
  })
})

describe('objects whose scripts look for what is there', () => {
  it('are written one after the other: each finds those before it', async () => {
    await using world = await open(
      "object.login = String(openidm.query('managed/user', { _queryFilter: 'true' }).result.length)",
    )
    expect(await world.create(['a', 'b', 'c'])).toEqual(['0', '1', '2'])
  })
})
