import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { asProblem } from '../src/model/problem.ts'
import { type Application, openApplication } from '../src/syncline.ts'
import { script } from '../src/testing/script.ts'
import { environment } from './support/environment.ts'
import { TestProject } from './support/project.ts'

/** What an error was answered to has not happened, anywhere; or the answer says what stays (platform §6.2, engine §8.4). */
let project: TestProject
let application: Application | undefined

beforeEach(() => {
  project = new TestProject()
})
afterEach(async () => {
  await application?.[Symbol.asyncDispose]()
  application = undefined
  project[Symbol.dispose]()
})

const properties = [
  { source: '_id', target: '_id' },
  { source: 'v', target: 'v' },
]

async function open(objects: readonly object[], mappings: readonly object[]) {
  project.write('conf/managed.json', { objects })
  project.write('conf/sync.json', { mappings })
  application = await openApplication({
    ...{ projectFolder: project.folder, dataFolder: project.path('.syncline') },
    ...{ environment, flags: {}, log: () => {} },
  })
  const { resources, administrator } = application
  const client = { ...administrator, external: true }
  return {
    put: (path: string, v: string) => resources.update(path, undefined, { v }, client),
    create: (path: string, v: string) => {
      const at = path.lastIndexOf('/')
      return resources.create(path.slice(0, at), path.slice(at + 1), { v }, client)
    },
    remove: (path: string) => resources.delete(path, undefined, client),
    /** `v` of these, undefined where there is no object. */
    values: (...paths: readonly string[]) =>
      Promise.all(
        paths.map((path) =>
          resources.read(path, administrator).then(
            ({ v, x }) => (x === undefined ? v : [v, x]),
            () => undefined,
          ),
        ),
      ),
  }
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => {
      throw new Error('it did not fail')
    },
    (error) => asProblem(error),
  )

const gone = { situation: 'SOURCE_MISSING', action: 'DELETE' }

describe('a post… script that throws takes the write back, also if it has', () => {
  const throwing = (source: string) =>
    script(
      `if (openidm.read('managed/flag/armed') && !(object && object.v === 'by others')) {
        ${source}; throw { code: 400, message: 'no' } }`,
    )
  const writesItself = "openidm.patch(resourceName, null, [{ operation: 'add', field: '/x', value: '1' }])"
  const recreated = "openidm.create('managed/p', object ? object._id : oldObject._id, { v: 'again' })"

  async function armed(hooks: object, policies: readonly object[] = [gone]) {
    const town = await open(
      [{ name: 'p', ...hooks }, { name: 't' }, { name: 'flag' }],
      [{ name: 'p_t', source: 'managed/p', target: 'managed/t', properties, policies }],
    )
    await town.create('managed/p/1', 'one')
    await town.create('managed/flag/armed', 'yes')
    return town
  }
  const both = ['managed/p/1', 'managed/t/1'] as const

  it('written the object itself, which reached a target', async () => {
    // Its own write runs the script, too.
    const source = `if (!object.x) { ${writesItself} ; throw { code: 400, message: 'no' } }`
    const town = await armed({ postUpdate: script(`if (openidm.read('managed/flag/armed')) { ${source} }`) })
    const { status, message } = await failureOf(town.put('managed/p/1', 'two'))
    expect([status, message]).not.toContain('could not')
    expect(status).toBe(400)
    expect(await town.values(...both)).toEqual(['one', 'one'])
  })

  it('deleted the object', async () => {
    const town = await armed({ postUpdate: throwing('openidm.delete(resourceName, null)') })
    expect((await failureOf(town.put('managed/p/1', 'two'))).status).toBe(400)
    expect(await town.values(...both)).toEqual(['one', 'one'])
  })

  it('written an object that it has made', async () => {
    const town = await armed({ postCreate: throwing(writesItself) })
    expect((await failureOf(town.create('managed/p/2', 'two'))).status).toBe(400)
    expect(await town.values('managed/p/2', 'managed/t/2')).toEqual([undefined, undefined])
    expect(await town.values(...both)).toEqual(['one', 'one'])
  })

  it('written an object that it has made, which the mapping does not delete: the answer says so', async () => {
    const town = await armed({ postCreate: throwing(writesItself) }, [])
    const { message } = await failureOf(town.create('managed/p/2', 'two'))
    expect(message).toMatch(/no; and managed\/t\/2 \(p_t\) could not be set back: .*SOURCE_MISSING/)
    expect(await town.values('managed/p/2', 'managed/t/2')).toEqual([undefined, 'two'])
  })

  it('made a deleted object again', async () => {
    const town = await armed({ postDelete: throwing(recreated) })
    expect((await failureOf(town.remove('managed/p/1'))).status).toBe(400)
    expect(await town.values(...both)).toEqual(['one', 'one'])
  })

  it('and what others have written meanwhile stays, which the answer says', async () => {
    const waits = "for (var i = 0; i < 20000 && !openidm.read('managed/flag/go'); i++) {}"
    const town = await armed({ postUpdate: throwing(waits) })
    const failure = failureOf(town.put('managed/p/1', 'two'))
    await expect.poll(() => town.values('managed/p/1')).toEqual(['two'])
    await town.put('managed/p/1', 'by others')
    await town.create('managed/flag/go', 'yes')
    const { status, message } = await failure
    expect(status).toBe(400)
    expect(message).toMatch(
      /no; and managed\/p\/1 could not be taken back: others have changed it meanwhile$/,
    )
    expect(await town.values(...both)).toEqual(['by others', 'by others'])
  })
})

describe('compensation sets back', () => {
  const compensating = { onSync: { type: 'text/javascript', file: 'compensate.js' } }
  const mapping = (name: string, source: string, target: string, transform?: string, more: object = {}) => ({
    ...{ name, source: `managed/${source}`, target: `managed/${target}`, ...more },
    properties: [
      { source: '_id', target: '_id' },
      { source: 'v', target: 'v', ...(transform && { transform: script(transform) }) },
    ],
  })
  const bad = "if (source.indexOf('BAD') >= 0) throw { code: 400, message: 'bad' }; source"
  const objects = [{ name: 'a', ...compensating }, { name: 'b' }, { name: 'c' }, { name: 'd' }]
  const all = ['managed/a/1', 'managed/b/1', 'managed/c/1'] as const

  function trimming() {
    return open(objects, [
      mapping('a_b', 'a', 'b', 'source.trim()', { policies: [gone] }),
      mapping('b_a', 'b', 'a', undefined, { links: 'a_b' }),
      mapping('a_c', 'a', 'c', bad),
    ])
  }

  it('an update, although a mapping back has written the object meanwhile', async () => {
    const town = await trimming()
    await town.create('managed/a/1', 'one')
    const { status, message } = await failureOf(town.put('managed/a/1', ' BAD '))
    expect([status, message]).toEqual([409, expect.stringMatching(/bad$/)])
    expect(await town.values(...all)).toEqual(['one', 'one', 'one'])
  })

  it('a create, although a mapping back has written the object meanwhile', async () => {
    const town = await trimming()
    const { message } = await failureOf(town.create('managed/a/1', ' BAD '))
    expect(message).toMatch(/bad$/)
    expect(await town.values(...all)).toEqual([undefined, undefined, undefined])
  })

  it('what mappings after one have written that cannot be set back, and says which that is', async () => {
    const town = await open(objects, [
      mapping(
        'a_b',
        'a',
        'b',
        "if (source === 'one' && openidm.read('managed/d/broken')) throw 'out of order'; source",
      ),
      mapping('a_c', 'a', 'c'),
      mapping('a_d', 'a', 'd', bad),
    ])
    await town.create('managed/a/1', 'one')
    await town.create('managed/d/broken', 'yes')
    const { message } = await failureOf(town.put('managed/a/1', 'BAD'))
    expect(message).toMatch(/bad; and managed\/b\/1 \(a_b\) could not be set back: .*out of order/)
    expect(await town.values(...all, 'managed/d/1')).toEqual(['one', 'BAD', 'one', 'one'])
  })

  it('a create, and says what stays where the mapping does not delete', async () => {
    const policies = [
      { situation: 'ABSENT', action: 'CREATE' },
      { situation: 'SOURCE_MISSING', action: 'UNLINK' },
    ]
    const town = await open(objects, [
      mapping('a_b', 'a', 'b', undefined, { policies }),
      mapping('a_c', 'a', 'c', bad),
    ])
    const { message } = await failureOf(town.create('managed/a/1', 'BAD'))
    expect(message).toMatch(/bad; and managed\/b\/1 \(a_b\) stays: UNLINK$/)
    expect(await town.values(...all)).toEqual([undefined, 'BAD', undefined])
  })

  it('a delete', async () => {
    const policies = [gone]
    const onDelete = script("throw { code: 400, message: 'kept' }")
    const town = await open(objects, [
      mapping('a_b', 'a', 'b', undefined, { policies }),
      mapping('a_c', 'a', 'c', undefined, { policies, onDelete }),
    ])
    await town.create('managed/a/1', 'one')
    const { message } = await failureOf(town.remove('managed/a/1'))
    expect(message).toMatch(/kept$/)
    expect(await town.values(...all)).toEqual(['one', 'one', 'one'])
  })
})
