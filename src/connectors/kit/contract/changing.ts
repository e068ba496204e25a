import { ok } from 'node:assert/strict'
import type { ChangesPage, ConnectorChange, SyncToken } from '../changes.ts'
import type { ConnectorObject } from '../query.ts'
import { settingOf } from '../write.ts'
import { type Law, requireAttributes, requireEqual, requireFailure, requireSame } from './bench.ts'

/** Changes, reported in pages with tokens. */
export const changing: readonly Law[] = [
  [
    'tells what was created, changed and deleted since the present',
    async (bench) => {
      bench.need('changesSince')
      const { attribute } = bench.facts
      const [changed = '', gone = ''] = await bench.create(1, 2, 3)
      const token = await bench.latestToken()
      const created = await bench.createOne(4)
      await bench.write(updated(changed, attribute, 'changed'), { operation: 'delete', id: gone })
      const changes = changesOf(await bench.changes(token))
      requireSame(
        changes.map(({ id }) => id),
        [changed, gone, created],
        'objects that have changed',
      )
      requireSame(
        changes.filter(({ kind }) => kind === 'DELETE').map(({ id }) => id),
        [gone],
        'objects that are gone',
      )
      for (const change of changes)
        if (change.kind !== 'DELETE') requireAttributes(await bench.readOne(change.id), change.object)
    },
  ],
  [
    'tells nothing where nothing has changed',
    async (bench) => {
      bench.need('changesSince')
      await bench.create(1, 2)
      const token = await bench.latestToken()
      requireEqual(changesOf(await bench.changes(token)), [], 'changes')
    },
  ],
  [
    'tells everything that there is, without a token',
    async (bench) => {
      bench.need('changesSince')
      const ids = await bench.create(1, 2, 3)
      requireSame(
        changesOf(await bench.changes(null)).map(({ id }) => id),
        ids,
        'objects told',
      )
    },
  ],
  [
    'ends with a token from which it goes on',
    async (bench) => {
      bench.need('changesSince')
      await bench.create(1, 2)
      const end = endOf(await bench.changes(null))
      requireEqual(changesOf(await bench.changes(end)), [], 'changes since the end')
      const id = await bench.createOne(3)
      requireSame(
        changesOf(await bench.changes(end)).map(({ id: one }) => one),
        [id],
        'objects that have changed',
      )
    },
  ],
  [
    'goes on from any page with what that page did not tell',
    async (bench) => {
      bench.need('changesSince')
      const ids = await bench.create(1, 2, 3, 4, 5)
      const told = new Set<string>()
      for (const page of await bench.changes(null)) {
        for (const { id } of page.changes) told.add(id)
        const rest = changesOf(await bench.changes(page.token)).map(({ id }) => id)
        for (const id of ids)
          ok(told.has(id) || rest.includes(id), `"${id}" is told neither before a token nor after it`)
      }
    },
  ],
  [
    'tells again what was left in the middle',
    async (bench) => {
      const changes = bench.need('changesSince')
      const token = await bench.latestToken()
      const ids = await bench.create(1, 2, 3)
      for await (const _page of changes.changesSince(bench.facts.objectClass, token)) break
      requireSame(
        changesOf(await bench.changes(token)).map(({ id }) => id),
        ids,
        'objects that have changed',
      )
    },
  ],
  [
    'goes on after a restart, with a token that was stored as text',
    async (bench) => {
      bench.need('changesSince')
      await bench.create(1)
      const token: SyncToken = JSON.parse(JSON.stringify(await bench.latestToken()))
      const id = await bench.createOne(2)
      const other = await bench.reopen()
      requireSame(
        changesOf(await bench.changes(token, other)).map(({ id: one }) => one),
        [id],
        'objects that have changed',
      )
    },
  ],
  [
    'refuses a token of another epoch: the system was restored or replaced',
    async (bench) => {
      bench.need('changesSince')
      await bench.create(1)
      const token = await bench.latestToken()
      ok(token.epoch !== '', 'the token has no epoch')
      await requireFailure(
        bench.changes({ ...token, epoch: 'another' }),
        'staleToken',
        'a token of another epoch',
      )
    },
  ],
  [
    'tells a rename so that a copy follows it',
    async (bench) => {
      bench.need('changesSince')
      const name = bench.given(bench.facts.rename)(9)
      const [id = ''] = await bench.create(1, 2)
      const copy = new Map((await bench.search()).map((object) => [object._id, object]))
      const token = await bench.latestToken()
      await bench.write({ operation: 'update', id, changes: settingOf(name) })
      follow(copy, changesOf(await bench.changes(token)))
      requireSame([...copy.keys()], await bench.ids(), 'objects of the copy')
      for (const object of await bench.search()) requireAttributes(copy.get(object._id), object)
    },
  ],
]

function updated(id: string, attribute: string, text: string) {
  return { operation: 'update' as const, id, changes: settingOf({ [attribute]: text }) }
}

function changesOf(pages: readonly ChangesPage[]): readonly ConnectorChange[] {
  return pages.flatMap(({ changes }) => changes)
}

function endOf(pages: readonly ChangesPage[]): SyncToken {
  const token = pages.at(-1)?.token
  ok(token, 'the last page has no token')
  return token
}

function follow(copy: Map<string, ConnectorObject>, changes: readonly ConnectorChange[]): void {
  for (const change of changes) {
    if (change.kind === 'DELETE') copy.delete(change.id)
    else {
      if (change.previousId !== undefined) copy.delete(change.previousId)
      copy.set(change.id, change.object)
    }
  }
}
