import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type BrokenOff, type Remains, type Resolution, resolveIntent } from './resolve-intent.ts'

const create: BrokenOff = { action: 'CREATE', targetId: null, newId: 'new' }
const recreate: BrokenOff = { action: 'CREATE', targetId: 'old', newId: 'new' }
const rename: BrokenOff = { action: 'UPDATE', targetId: 'old', newId: 'new' }
const update: BrokenOff = { action: 'UPDATE', targetId: 'old', newId: 'old' }
const remove: BrokenOff = { action: 'DELETE', targetId: 'old', newId: null }
const nothing: Remains = {
  oldExists: false,
  newExists: false,
  linkedTo: null,
  newIsTaken: false,
  looksWritten: false,
  moved: undefined,
}

type Row = [what: string, operation: BrokenOff, remains: Partial<Remains>, resolution: Resolution]

/** What is there after a run broke off, and what is done about it. */
const rows: Row[] = [
  ['a create that did not happen', create, {}, 'undone'],
  ['a create that happened', create, { newExists: true }, 'link'],
  ['a create that happened and was linked', create, { newExists: true, linkedTo: 'new' }, 'done'],
  [
    'a create whose object another source has a link to',
    create,
    { newExists: true, newIsTaken: true },
    'undone',
  ],
  [
    'a create whose source was linked elsewhere meanwhile',
    create,
    { newExists: true, linkedTo: 'x' },
    'undone',
  ],
  ['a create in place of a target that was gone', recreate, { newExists: true, linkedTo: 'old' }, 'retarget'],
  [
    'a create in place of a target that is back',
    recreate,
    { newExists: true, linkedTo: 'old', oldExists: true },
    'undone',
  ],
  ['a create in place of one, not happened', recreate, { linkedTo: 'old' }, 'undone'],
  ['a rename that did not happen', rename, { oldExists: true, linkedTo: 'old' }, 'undone'],
  ['a rename that happened', rename, { newExists: true, linkedTo: 'old' }, 'retarget'],
  ['a rename that happened, link and all', rename, { newExists: true, linkedTo: 'new' }, 'done'],
  [
    'a rename to an id that another object has',
    rename,
    { oldExists: true, newExists: true, linkedTo: 'old' },
    'undone',
  ],
  [
    'a rename whose old id another object was given',
    rename,
    { oldExists: true, newExists: true, linkedTo: 'old', moved: true },
    'retarget',
  ],
  [
    'a rename to an id that its holder has not given up',
    rename,
    { oldExists: true, newExists: true, linkedTo: 'old', moved: false },
    'undone',
  ],
  [
    'a create under an id that its holder has not given up',
    create,
    { newExists: true, moved: false },
    'undone',
  ],
  ['a create under an id that its holder has given up', create, { newExists: true, moved: true }, 'link'],
  ['a rename of an object that is gone altogether', rename, { linkedTo: 'old' }, 'undone'],
  ['a rename whose link is gone', rename, { newExists: true }, 'undone'],
  ['an update that did not happen', update, { newExists: true, linkedTo: 'old' }, 'undone'],
  ['an update that happened', update, { newExists: true, linkedTo: 'old', looksWritten: true }, 'done'],
  ['an update of an object that is gone', update, { linkedTo: 'old' }, 'undone'],
  ['a delete that did not happen', remove, { oldExists: true, linkedTo: 'old' }, 'undone'],
  ['a delete that happened', remove, { linkedTo: 'old' }, 'unlink'],
  ['a delete that happened, link and all', remove, {}, 'done'],
  ['a delete whose source has another target by now', remove, { linkedTo: 'x' }, 'done'],
]

describe('what a run left', () => {
  it.each(rows)('%s', (_what, operation, remains, resolution) => {
    expect(resolveIntent(operation, { ...nothing, ...remains })).toBe(resolution)
  })

  it('is never given a link to an object that is not there, or that another source has', () => {
    const id = fc.constantFrom('old', 'new', null)
    const operation = fc.record<BrokenOff>({
      action: fc.constantFrom('CREATE', 'UPDATE', 'DELETE'),
      targetId: id,
      newId: id,
    })
    const remains = fc.record<Remains>({
      oldExists: fc.boolean(),
      newExists: fc.boolean(),
      linkedTo: id,
      newIsTaken: fc.boolean(),
      looksWritten: fc.boolean(),
      moved: fc.constantFrom(true, false, undefined),
    })
    fc.assert(
      fc.property(operation, remains, (one, there) => {
        const resolution = resolveIntent(one, there)
        if (resolution === 'link' || resolution === 'retarget')
          expect([there.newExists, there.newIsTaken]).toEqual([true, false])
        if (resolution === 'unlink') expect(there.oldExists).toBe(false)
      }),
    )
  })
})
