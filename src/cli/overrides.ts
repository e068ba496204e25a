import { type Command, InvalidArgumentError } from 'commander'
import type { JsonObject } from '../model/json.ts'

/** Options of a run that override the mapping's settings, the same for `recon` and for a plan of it. */
export interface OverrideOptions {
  readonly allowEmptySource?: boolean
  readonly targetPhase?: boolean
  readonly cleanUpLinks?: boolean
  readonly maxFailures?: number
  readonly guard?: JsonObject | false
  readonly overrideGuard?: boolean
  readonly reason?: string
}

/** Of commands that have no other override. */
export type GuardOptions = Pick<OverrideOptions, 'guard' | 'overrideGuard' | 'reason' | 'maxFailures'>

export function withOverrides(command: Command): Command {
  return withGuard(
    command
      .option('--allow-empty-source', 'go on even if the source query returns nothing; needs --reason')
      .option('--no-target-phase', 'leave out the pass over targets without a source')
      .option('--clean-up-links', 'delete links whose source and target are both gone'),
  )
}

export function withGuard(command: Command): Command {
  const guard = 'for this run: off, or e.g. maxDeletes=500,maxUpdates=20%'
  return command
    .option('--guard <off|limits>', guard, guardOption)
    .option('--override-guard', 'go on although the guard stops it; the same as --guard off')
    .option('--reason <text>', 'why the guard may be overridden, or an empty source be true; it is audited')
}

/** Of commands that write. */
export function withMaxFailures(command: Command): Command {
  return command.option('--max-failures <n>', 'stop when more than n objects have failed', numberFrom0)
}

function numberFrom0(text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= 0) return number
  throw new InvalidArgumentError('It must be a whole number from 0.')
}

export function overridesOf({
  allowEmptySource,
  targetPhase,
  cleanUpLinks,
  maxFailures,
  guard,
  overrideGuard,
  reason,
}: OverrideOptions): JsonObject {
  return {
    ...(allowEmptySource ? { allowEmptySourceSet: true } : {}),
    ...(guard === undefined ? {} : { guard }),
    ...(overrideGuard ? { overrideGuard } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(targetPhase === false ? { runTargetPhase: false } : {}),
    ...(cleanUpLinks ? { cleanUpLinks } : {}),
    ...(maxFailures === undefined ? {} : { maxFailures }),
  }
}

/** `off`, or limits by name. The limits are checked later, like those of any request. */
function guardOption(text: string): JsonObject | false {
  if (text.toLowerCase() === 'off') return false
  const limits = text.split(',').map((part) => part.split('=').map((side) => side.trim()))
  const known = ['maxDeletes', 'maxDisables', 'maxUnlinks', 'maxUpdates', 'maxCreates']
  if (limits.some(([name, value, more]) => !known.includes(name ?? '') || !value || more !== undefined))
    throw new InvalidArgumentError(
      `Say off, or limits such as maxDeletes=500,maxUpdates=20%; known are ${known.join(', ')}.`,
    )
  return Object.fromEntries(limits)
}
