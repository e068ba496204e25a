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
    const look = (present: readonly string[], absent: readonly string[], remembers = true) => {
      const properties = async () => ({ present: present.map(property), absent: absent.map(property) })
      const set = { path: 'system/hr/account', properties } as unknown as ObjectSet
      const log = (_level: string, message: string) => void logged.push(message)
      return requireSourceProperties('system/hr/account', { repository, log, set, remembers })
    }
    // What only looks leaves nothing behind.
    await look(['id', 'mail', 'phone'], [], false)
    await look(['id', 'mail'], ['phone'])
    expect(logged).toEqual([expect.stringContaining('has no phone, although objectTypes declares it')])
    await look(['id', 'mail', 'phone'], [])
    await expect(look(['id', 'phone'], ['mail'])).rejects.toThrow(
      'system/hr/account no longer has mail, which it had in an earlier run',
    )
    await look(['id', 'mail', 'phone'], [])
  })
})
