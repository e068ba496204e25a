import { describe, expect, it } from 'vitest'
import { scriptSource } from './definition.ts'

const files: Record<string, string> = { 'script/name.js': 'source.name', 'lib/other.js': '1' }
const read = (definition: Parameters<typeof scriptSource>[0]) =>
  scriptSource(definition, { label: 'mapping hr, onCreate', readFile: (path) => files[path] })

const type = 'text/javascript'

describe('a script object', () => {
  it('with inline source is that source', () => {
    expect(read({ type, source: 'a + b' })).toEqual({
      ok: true,
      value: { label: 'mapping hr, onCreate', source: 'a + b', file: undefined, globals: {} },
    })
  })

  it.each([
    ['the project folder', 'lib/other.js', 'lib/other.js'],
    ['its script folder, said in full', 'script/name.js', 'script/name.js'],
    ['its script folder', 'name.js', 'script/name.js'],
  ])('with a file is read from %s', (_from, file, found) => {
    expect(read({ file })).toMatchObject({ ok: true, value: { file: found, source: files[found] } })
  })

  it('with both runs the source and is called by the file', () => {
    expect(read({ type, source: '7', file: 'name.js' })).toMatchObject({
      ok: true,
      value: { source: '7', file: 'name.js' },
    })
  })

  it('makes variables of globals and of every other key, save those with an underscore', () => {
    const definition = { type, source: '1', globals: { a: 1, b: 2 }, b: 3, workflowName: 'w', _comment: 'no' }
    expect(read(definition)).toMatchObject({ value: { globals: { a: 1, b: 2, workflowName: 'w' } } })
    expect(JSON.stringify(read(definition))).not.toContain('_comment')
  })

  it('keeps a variable called __proto__ a plain key', () => {
    const definition = JSON.parse(
      '{"type":"text/javascript","source":"1","__proto__x":1,"globals":{"__proto__":{"bad":1}}}',
    )
    const result = read(definition)
    expect(result.ok && Object.keys(result.value.globals)).toEqual(['__proto__'])
    expect(({} as Record<string, unknown>).bad).toBeUndefined()
  })
})

describe('a script object is refused', () => {
  it.each([
    ['if it is Groovy', { type: 'groovy', source: '1' }, ['type'], /Groovy.*JavaScript/],
    ['if its file is Groovy', { file: 'x.groovy' }, ['file'], /Groovy.*JavaScript/],
    ['if its type is unknown', { type: 'python', source: '1' }, ['type'], /text\/javascript/],
    ['if inline source comes without type', { source: '1' }, [], /"type"/],
    ['if it has neither source nor file', { type }, [], /"source".*"file"/],
    ['if its file is not there', { file: 'nowhere.js' }, ['file'], /nowhere\.js/],
    ['if its named file is not there', { name: 'nowhere.js' }, ['name'], /nowhere\.js/],
    ['if its source is no string', { type, source: 5 }, ['source'], /string/],
    ['if its globals are no object', { type, source: '1', globals: [1] }, ['globals'], /object/],
    ['if it is no object', 'source', [], /object/],
  ])('%s', (_case, definition, place, message) => {
    expect(read(definition)).toEqual({
      ok: false,
      finding: { place, message: expect.stringMatching(message) },
    })
  })
})
