import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { everything } from '../../model/filter/filter.ts'
import { people, type Samba, startSamba } from './testing/samba.ts'

let samba: Samba

beforeAll(async () => {
  samba = await startSamba()
})

afterEach(() => samba.empty())

afterAll(async () => {
  await samba[Symbol.asyncDispose]()
})

const account = (name: string) =>
  `dn: CN=${name},${people}\nchangetype: add\nobjectClass: user\nsAMAccountName: ${name}\n`

describe('an account of Active Directory', () => {
  it('has its objectGUID as id, under which it is found again', async () => {
    await using connector = samba.connect()
    samba.change(account('a'))
    const [[found] = []] = await Array.fromAsync(
      connector.search({ objectClass: '__ACCOUNT__', filter: everything }),
    )
    expect(found).toMatchObject({ sAMAccountName: 'a', _id: expect.stringMatching(/^<GUID=[0-9a-f]{32}>$/) })
    const id = found?._id ?? ''
    expect([...(await connector.readMany('__ACCOUNT__', [id])).values()]).toEqual([found])
  })

  it('is there again after the server was stopped and started', async () => {
    samba.change(account('a'))
    await samba.stop()
    await samba.start()
    expect(samba.find('(sAMAccountName=a)', 'cn')).toContain('cn: a')
  })
})
