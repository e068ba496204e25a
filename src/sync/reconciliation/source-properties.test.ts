import { describe, expect, it } from 'vitest'
import type { ObjectSet } from '../../router/resources.ts'
import { temporaryStore } from '../../testing/store.ts'
import { requireSourceProperties } from './source-properties.ts'

const property = (name: string) => ({ name, attribute: name })

describe('a source', () => {
  it('that has lost a property it had is refused, whoever looks', async () => {
    await using store = await temporaryStore()
    const { repository } = store
    const logged: string[] = []
    const look = (
      present: readonly string[],
      absent: readonly string[],
      { remembers = true, undeclared = [] as readonly string[] } = {},
    ) => {
      const properties = async () => ({
        ...{ present: present.map(property), absent: absent.map(property), undeclared },
      })
      const set = { path: 'system/hr/account', properties } as unknown as ObjectSet
      const log = (_level: string, message: string) => void logged.push(message)
      return requireSourceProperties('system/hr/account', { repository, log, set, remembers })
    }
    // What only looks leaves nothing behind.
    await look(['id', 'mail', 'phone'], [], { remembers: false })
    await look(['id', 'mail'], ['phone'])
    expect(logged).toEqual([expect.stringContaining('has no phone, although objectTypes declares it')])
    await look(['id', 'mail', 'phone'], [])
    await expect(look(['id', 'phone'], ['mail'])).rejects.toThrow(
      'system/hr/account no longer has mail, which it had in an earlier run',
    )
    // What it is probably called now: what is nearest, or the only one that is new.
    for (const undeclared of [['x', 'email'], ['address']])
      await expect(look(['id', 'phone'], ['mail'], { undeclared })).rejects.toMatchObject({
        message: expect.stringContaining(`Perhaps mail is called ${undeclared.at(-1)} now`),
        hint: expect.stringContaining(`"nativeName": "${undeclared.at(-1)}"`),
      })
    await expect(look(['id', 'phone'], ['mail'], { undeclared: ['x', 'y'] })).rejects.toThrow(
      'It has id, phone; not declared: x, y',
    )
    await look(['id', 'mail', 'phone'], [])
  })
})
