import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { isUnreadable } from '../../model/unreadable.ts'
import type { SyncToken } from '../kit/changes.ts'
import { document, temporaryXml } from './testing/temporary.ts'

const account = (id: string, mail: string) =>
  `<ri:__ACCOUNT__><icf:__UID__>${id}</icf:__UID__><icf:__NAME__>${id}</icf:__NAME__><ri:mail>${mail}</ri:mail></ri:__ACCOUNT__>`
const group = '<ri:__GROUP__><icf:__NAME__>g</icf:__NAME__></ri:__GROUP__>'

async function open(content: string) {
  const xml = await temporaryXml(document(content))
  const connector = xml.connect()
  return {
    ...xml,
    connector,
    async since(token: SyncToken | null, type = '__ACCOUNT__') {
      const pages = await Array.fromAsync(connector.changesSince(type, token))
      const changes = pages.flatMap((page) => page.changes)
      const told = changes.map((change) => {
        const bad = change.kind !== 'DELETE' && isUnreadable(change.object)
        return `${change.kind} ${change.id}${bad ? ' unreadable' : ''}`
      })
      return { told, token: pages.at(-1)?.token ?? token }
    },
  }
}

describe('changes of an XML file', () => {
  it('are those of the objects: another form of the document, or another type, changes nothing', async () => {
    await using xml = await open(account('a', 'x') + account('b', 'x') + group)
    const token = await xml.connector.latestToken('__ACCOUNT__')
    await xml.put(document(`<!-- new -->${account('b', 'x').replaceAll('><', '>\n<')}${account('a', 'x')}`))
    expect((await xml.since(token)).told).toEqual([])
    await xml.put(document(account('b', 'y') + account('c', 'z')))
    expect((await xml.since(token)).told).toEqual(['DELETE a', 'UPDATE b', 'CREATE c'])
  })

  it('hold no deletion and no new token while the document is damaged; then they are told', async () => {
    await using xml = await open(account('a', 'x') + account('b', 'x'))
    const token = await xml.connector.latestToken('__ACCOUNT__')
    await xml.put(document(account('a', 'y') + account('b', 'x')).slice(0, -60))
    expect(await xml.since(token)).toEqual({ told: ['UPDATE a'], token })
    await xml.put(document(account('a', 'y')))
    expect((await xml.since(token)).told).toEqual(['DELETE b', 'UPDATE a'])
  })

  it('tell once of an object that cannot be read any more', async () => {
    await using xml = await open(account('a', 'x') + account('b', 'x'))
    const token = await xml.connector.latestToken('__ACCOUNT__')
    await xml.put(document(account('a', '<b/>') + account('b', 'x')))
    const first = await xml.since(token)
    expect(first.told).toEqual(['UPDATE a unreadable'])
    expect((await xml.since(first.token)).told).toEqual([])
  })

  it('of one type are not lost when those of another are read often, and few copies are kept', async () => {
    await using xml = await open(account('a', 'x') + group)
    const token = await xml.connector.latestToken('__ACCOUNT__')
    let groups: SyncToken | null = await xml.connector.latestToken('__GROUP__')
    for (let n = 0; n < 6; n++) {
      await xml.put(document(account('a', `x${n}`) + group))
      groups = (await xml.since(groups, '__GROUP__')).token
    }
    expect((await xml.since(token)).told).toEqual(['UPDATE a'])
    const copies = (await readdir(xml.folder)).filter((name) => /\.\d{13}$/.test(name))
    expect(copies.length).toBeLessThanOrEqual(5)
    expect(copies.every((name) => /^people\.xml\.__(ACCOUNT|GROUP)__\.\d{13}$/.test(name))).toBe(true)
  })
})
