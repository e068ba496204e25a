import { ok } from 'node:assert/strict'
import { requireReadable } from '../../../model/unreadable.ts'
import type { ConnectorChange, SyncToken } from '../changes.ts'
import type { ConnectorObject } from '../query.ts'
import { deleting, type Laws, requireAttributes, requireFailure, requireSame, updating } from './bench.ts'

/** Changes, reported in pages with tokens. */
export const changing: Laws = {
  async 'reports what was created, changed and deleted since the present'(bench) {
    const [changed = '', gone = ''] = await bench.create(1, 2, 3)
    const token = await bench.latestToken()
    const created = await bench.createOne(4)
    await bench.write(updating(changed, { [bench.facts.attribute]: 'changed' }), deleting(gone))
    const changes = await bench.changed(token)
    requireChanged(changes, [changed, gone, created])
    const deleted = changes.filter(({ kind }) => kind === 'DELETE').map(({ id }) => id)
    requireSame(deleted, [gone], 'objects that are gone')
    for (const change of changes)
      if (change.kind !== 'DELETE')
        requireAttributes(await bench.readOne(change.id), requireReadable(change.object))
  },
  async 'reports nothing where nothing has changed'(bench) {
    await bench.create(1, 2)
    requireChanged(await bench.changed(await bench.latestToken()), [])
  },
  async 'reports everything that there is, without a token'(bench) {
    const ids = await bench.create(1, 2, 3)
    requireChanged(await bench.changed(null), ids)
  },
  async 'ends with a token from which it goes on'(bench) {
    await bench.create(1, 2)
    const end = (await bench.changes(null)).at(-1)?.token
    ok(end, 'the last page has no token')
    requireChanged(await bench.changed(end), [])
    const id = await bench.createOne(3)
    requireChanged(await bench.changed(end), [id])
  },
  async 'goes on from any page with what that page did not report'(bench) {
    const ids = await bench.create(1, 2, 3, 4, 5)
    const reported = new Set<string>()
    for (const page of await bench.changes(null)) {
      for (const { id } of page.changes) reported.add(id)
      const rest = (await bench.changed(page.token)).map(({ id }) => id)
      for (const id of ids)
        ok(reported.has(id) || rest.includes(id), `"${id}" is reported neither before a token nor after it`)
    }
  },
  async 'reports again what was left in the middle'(bench) {
    const token = await bench.latestToken()
    const ids = await bench.create(1, 2, 3)
    for await (const _page of bench.need('changesSince').changesSince(bench.facts.objectClass, token)) break
    requireChanged(await bench.changed(token), ids)
  },
  async 'goes on after a restart, with a token that was stored as text'(bench) {
    await bench.create(1)
    const token: SyncToken = JSON.parse(JSON.stringify(await bench.latestToken()))
    const id = await bench.createOne(2)
    requireChanged(await bench.changed(token, await bench.reopen()), [id])
  },
  async 'refuses a token of another epoch: the system was restored or replaced'(bench) {
    bench.need('changesSince')
    await bench.create(1)
    const token = await bench.latestToken()
    ok(token.epoch !== '', 'the token has no epoch')
    const changes = bench.changes({ ...token, epoch: 'another' })
    await requireFailure(changes, 'staleToken', 'a token of another epoch')
  },
  async 'reports a rename so that a copy follows it'(bench) {
    const name = bench.given(bench.facts.rename)(9)
    const [id = ''] = await bench.create(1, 2)
    const copy = new Map((await bench.search()).map((object) => [object._id, object]))
    const token = await bench.latestToken()
    await bench.update(id, name)
    follow(copy, await bench.changed(token))
    requireSame([...copy.keys()], await bench.ids(), 'objects of the copy')
    for (const object of await bench.search()) requireAttributes(copy.get(object._id), object)
  },
}

function requireChanged(changes: readonly ConnectorChange[], ids: readonly string[]): void {
  const found = changes.map(({ id }) => id)
  requireSame(found, ids, 'objects that have changed')
}

function follow(copy: Map<string, ConnectorObject>, changes: readonly ConnectorChange[]): void {
  for (const change of changes) {
    if (change.kind === 'DELETE') copy.delete(change.id)
    else {
      if (change.previousId !== undefined) copy.delete(change.previousId)
      copy.set(change.id, requireReadable(change.object))
    }
  }
}
