import type { Leases, StoredLease } from '../leases.ts'
import { number, text } from './column.ts'
import { documentOf } from './document.ts'
import type { Row } from './query.ts'
import type { Session } from './session.ts'

/** Names that processes hold for a while. The number of a row is its epoch: no two rows ever have the same. */
export function sqliteLeases(session: Session): Leases {
  return {
    read: (name) =>
      session.read((connection) => {
        const row = connection.statement('SELECT * FROM leases WHERE name = ?').get(name)
        return row && leaseOf(row)
      }),
    list: () =>
      session.read((connection) =>
        connection.statement('SELECT * FROM leases ORDER BY epoch').all().map(leaseOf),
      ),
    take: ({ name, owner, process, ttl }, insteadOf) =>
      session.write((connection) => {
        if (insteadOf !== undefined) connection.statement(removal).run(name, insteadOf)
        const { changes, lastInsertRowid } = connection
          .statement(
            'INSERT INTO leases (name, owner, process, expires) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING',
          )
          .run(name, owner, JSON.stringify(process), Date.now() + ttl)
        return changes === 1 ? Number(lastInsertRowid) : undefined
      }),
    renew: (name, epoch, ttl) =>
      session.write((connection) => {
        const sql = 'UPDATE leases SET expires = ? WHERE name = ? AND epoch = ?'
        return connection.statement(sql).run(Date.now() + ttl, name, epoch).changes === 1
      }),
    holds: (name, epoch) =>
      session.read((connection) => {
        const sql = 'SELECT 1 FROM leases WHERE name = ? AND epoch = ?'
        return connection.statement(sql).get(name, epoch) !== undefined
      }),
    end: (name, epoch) =>
      session.write((connection) => connection.statement(removal).run(name, epoch).changes === 1),
  }
}

const removal = 'DELETE FROM leases WHERE name = ? AND epoch = ?'

function leaseOf({ name, epoch, owner, process, expires }: Row): StoredLease {
  return {
    name: text(name),
    epoch: number(epoch),
    owner: text(owner),
    process: documentOf(process),
    expired: number(expires) <= Date.now(),
  }
}
