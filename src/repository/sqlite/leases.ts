import type { Leases, StoredLease } from '../leases.ts'
import { number, text } from './column.ts'
import type { Row } from './connection.ts'
import { documentOf } from './document.ts'
import type { Session } from './session.ts'

/** Names that processes hold for a while. The number of a row is its epoch: no two rows ever have the same. */
export function sqliteLeases(session: Session): Leases {
  return {
    read: (name) => session.row(leaseOf, 'SELECT * FROM leases WHERE name = ?', name),
    list: () => session.rows(leaseOf, 'SELECT * FROM leases ORDER BY epoch'),
    take: ({ name, owner, process, ttl }, insteadOf) =>
      session.write((connection) => {
        if (insteadOf !== undefined) connection.run(removal, name, insteadOf)
        const sql = `INSERT INTO leases (name, owner, process, expires) VALUES (?, ?, ?, ?)
          ON CONFLICT (name) DO NOTHING RETURNING epoch`
        const row = connection.row(sql, name, owner, JSON.stringify(process), Date.now() + ttl)
        return row && number(row.epoch)
      }),
    async renew(name, epoch, ttl) {
      const sql = 'UPDATE leases SET expires = ? WHERE name = ? AND epoch = ?'
      return (await session.run(sql, Date.now() + ttl, name, epoch)) === 1
    },
    async holds(name, epoch) {
      const sql = 'SELECT * FROM leases WHERE name = ? AND epoch = ?'
      return (await session.row(leaseOf, sql, name, epoch)) !== undefined
    },
    end: async (name, epoch) => (await session.run(removal, name, epoch)) === 1,
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
