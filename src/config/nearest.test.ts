import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nearest, nearMiss } from '../model/nearest.ts'
import { fileOfId, idOfFile } from './document-id.ts'

describe('a misspelt name', () => {
  it.each([
    ['traget', 'target'],
    ['Source', 'source'],
    ['polcies', 'policies'],
    ['snyc', 'sync'],
  ])('%s was probably meant as %s', (found, meant) => {
    expect(nearMiss(found, ['source', 'target', 'policies', 'sync'])).toBe(meant)
  })

  it.each(['comment', 'note', '_comment', 'size'])('%s is a name of its own', (found) => {
    expect(nearMiss(found, ['source', 'target', 'type', 'name', 'columns'])).toBeUndefined()
  })

  it('of one or two letters is not guessed at', () => {
    expect(nearest('b', ['a', 'hr'])).toBeUndefined()
    expect(nearest('hr', ['ad'])).toBeUndefined()
    expect(nearest('rh', ['hr'])).toBe('hr')
  })

  it('is never farther than the nearest candidate', () => {
    const candidates = ['CONFIRMED', 'FOUND', 'ABSENT', 'AMBIGUOUS']
    fc.assert(
      fc.property(fc.constantFrom(...candidates), (name) => nearest(name.toLowerCase(), candidates) === name),
    )
  })
})

describe('the id of a configuration file', () => {
  it.each([
    ['sync.json', 'sync'],
    ['mapping-a.json', 'mapping/a'],
    ['mapping-a-b.json', 'mapping/a-b'],
    ['provisioner.openicf-hr.json', 'provisioner.openicf/hr'],
    ['endpoint-my own.json', 'endpoint/my_own'],
  ])('of %s is %s', (file, id) => {
    expect(idOfFile(file)).toBe(id)
    expect(fileOfId(id)).toBe(file.replaceAll(' ', '_'))
  })
})
