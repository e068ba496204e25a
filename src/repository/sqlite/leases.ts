import { sharesBoot, sinceBoot, thisProcess } from '../../kit/process.ts'
import type { JsonObject } from '../../model/json.ts'
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
        const row = connection.row(sql, name, owner, JSON.stringify(withEnd(process, ttl)), Date.now() + ttl)
        return row && number(row.epoch)
      }),
    async renew(name, epoch, ttl) {
      return (await session.run(renewal, Date.now() + ttl, sinceBoot() + ttl, name, epoch)) === 1
    },
    async holds(name, epoch) {
      const sql = 'SELECT * FROM leases WHERE name = ? AND epoch = ?'
      return (await session.row(leaseOf, sql, name, epoch)) !== undefined
    },
    end: async (name, epoch) => (await session.run(removal, name, epoch)) === 1,
  }
}

const renewal = `
  UPDATE leases SET expires = ?, process = CASE
    WHEN json_extract(process, '$.until') IS NULL THEN process ELSE json_set(process, '$.until', ?) END
  WHERE name = ? AND epoch = ?`

/**
 * Among processes of one machine the end of a lease is measured since its start, so that a jump of the clock takes no lease from a
 * process that lives.
 */
function withEnd(process: JsonObject, ttl: number): JsonObject {
  return sharesBoot(process) ? { ...process, until: sinceBoot() + ttl } : process
}

/** A condition on a lease, with the parameters `endedNow`. */
export const isHeld = `CASE
  WHEN json_extract(leases.process, '$.until') IS NOT NULL AND json_extract(leases.process, '$.host') = ?
    AND json_extract(leases.process, '$.boot') = ? THEN json_extract(leases.process, '$.until') > ?
  ELSE leases.expires > ? END`

export function endedNow(): readonly (string | number)[] {
  const { host, boot } = thisProcess()
  return [String(host), String(boot), sinceBoot(), Date.now()]
}

const removal = 'DELETE FROM leases WHERE name = ? AND epoch = ?'

function leaseOf({ name, epoch, owner, process: stored, expires }: Row): StoredLease {
  const { until, ...process } = documentOf(stored)
  const isMeasured = typeof until === 'number' && sharesBoot(process)
  return {
    name: text(name),
    epoch: number(epoch),
    owner: text(owner),
    process,
    expired: isMeasured ? until <= sinceBoot() : number(expires) <= Date.now(),
  }
}
