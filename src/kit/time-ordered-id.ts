import { randomFillSync } from 'node:crypto'
import { v7 } from 'uuid'

/** For 512 ids at a time: a system call for each costs more than the id. */
const pool = new Uint8Array(512 * 16)
let used = pool.length

let msecs = Number.NEGATIVE_INFINITY
let seq = 0

/** A UUID of version 7 (RFC 9562, section 5.7), greater than all that this process has made before. */
export function timeOrderedId(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const random = pool.subarray(used, used + 16)
  used += 16
  const now = Date.now()
  if (now > msecs) {
    msecs = now
    seq = new DataView(random.buffer, random.byteOffset).getUint32(6) & 0x7fffffff
  } else {
    // After the last number of a millisecond comes the next millisecond.
    seq = (seq + 1) | 0
    if (seq === 0) msecs++
  }
  return v7({ random, msecs, seq })
}
