import { Problem } from '../../model/problem.ts'

/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html) that say something about the machine. */
const reasons = new Map([
  [8, 'it cannot be written to'],
  [10, 'the disk reports an error'],
  [11, 'it is damaged'],
  [13, 'the disk is full'],
  [14, 'it cannot be opened or created'],
  [26, 'it is not a Syncline store'],
])
const busyCodes = new Set([5, 6])
const constraintCode = 19

/** What to tell of an error that SQLite raised; anything else is returned as it is. */
export function explained(thrown: unknown, file: string): unknown {
  const code = resultCode(thrown)
  if (code === undefined) return thrown
  if (busyCodes.has(code)) {
    return new Problem('CONFLICT', `The store ${file} is being written to by another process`, {
      cause: thrown,
    })
  }
  const reason = reasons.get(code)
  return reason ? new Problem('STORE_FAILED', `The store ${file}: ${reason}`, { cause: thrown }) : thrown
}

export function isBusy(thrown: unknown): boolean {
  return busyCodes.has(resultCode(thrown) ?? 0)
}

export function violatesConstraint(thrown: unknown): boolean {
  return resultCode(thrown) === constraintCode
}

/** The primary code; extended ones keep it in the low byte. */
function resultCode(thrown: unknown): number | undefined {
  const extended = thrown instanceof Error && 'errcode' in thrown ? thrown.errcode : undefined
  return typeof extended === 'number' ? extended & 0xff : undefined
}
