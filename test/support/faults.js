/**
 * Loaded into a process before everything else (`node --import`): traces the steps in which a run leaves something
 * behind, and makes one of them go wrong. Plain JavaScript, because it is loaded before anything strips types.
 *
 * SYNCLINE_FAULT: `{ kind, step, moment: 'before' | 'after', at, ms }`, JSON. `kill` ends the process at the `at`-th
 * time (from 1) of the step, or of any step; `fail` lets a write of the target file fail, before or after it took
 * effect; `slow` delays it. SYNCLINE_TRACE: a file that gets the counts of the steps when the process ends.
 */
import { writeFileSync } from 'node:fs'
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { DatabaseSync, StatementSync } from 'node:sqlite'

const fault = JSON.parse(process.env.SYNCLINE_FAULT ?? '{}')
const counts = { any: 0 }

const steps = [
  ['intent', /^\s*(INSERT INTO|DELETE FROM) intents /],
  ['link', /^\s*(INSERT INTO|UPDATE|DELETE FROM) links /],
  ['audit', /^\s*INSERT INTO audit /],
  ['run', /^\s*INSERT INTO runs /],
  ['object', /^\s*(INSERT INTO|UPDATE|DELETE FROM) objects_\d+ /],
  ['commit', /^COMMIT$/],
]

function stepOf(sql) {
  return steps.find(([, pattern]) => pattern.test(sql))?.[0]
}

/** Runs a step; kills the process directly before or after it if that was asked for. */
function traced(step, work) {
  counts.any++
  counts[step] = (counts[step] ?? 0) + 1
  const hit = fault.kind === 'kill' && counts[fault.step] === fault.at && [step, 'any'].includes(fault.step)
  if (hit && fault.moment === 'before') process.kill(process.pid, 'SIGKILL')
  const result = work()
  if (hit) process.kill(process.pid, 'SIGKILL')
  return result
}

for (const method of ['run', 'get', 'all']) {
  const original = StatementSync.prototype[method]
  StatementSync.prototype[method] = function (...values) {
    const step = stepOf(this.sourceSQL)
    return step ? traced(step, () => original.apply(this, values)) : original.apply(this, values)
  }
}

const { exec } = DatabaseSync.prototype
DatabaseSync.prototype.exec = function (sql) {
  const step = stepOf(sql)
  return step ? traced(step, () => exec.call(this, sql)) : exec.call(this, sql)
}

/** A new state of a target file is put in place. */
const { rename } = fsPromises
fsPromises.rename = async (from, to) => {
  if (!String(to).endsWith('.csv')) return rename(from, to)
  counts.any++
  counts.target = (counts.target ?? 0) + 1
  const hit = counts[fault.step] === fault.at && ['target', 'any'].includes(fault.step)
  const goesWrong = async (moment) => {
    if (!hit || fault.moment !== moment) return
    if (fault.kind === 'kill') process.kill(process.pid, 'SIGKILL')
    if (fault.kind === 'fail') throw Object.assign(new Error('the disk did not answer'), { code: 'EIO' })
    if (fault.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms))
  }
  await goesWrong('before')
  await rename(from, to)
  await goesWrong('after')
}
syncBuiltinESMExports()

if (process.env.SYNCLINE_TRACE)
  process.on('exit', () => writeFileSync(process.env.SYNCLINE_TRACE, JSON.stringify(counts)))
