import type { Change } from '../model/diff.ts'
import type { Json } from '../model/json.ts'
import { printPointer } from '../model/pointer.ts'
import { mask } from '../model/secrecy.ts'
import type { PlanEntry } from '../plan/entry.ts'
import type { PlanLine } from '../plan/plan-line.ts'
import { style } from './style.ts'

const colours = { '+': 'green', '~': 'yellow', '=': 'cyan', '≠': 'magenta', '-': 'red', '!': 'red' } as const
const signs: Readonly<Partial<Record<string, keyof typeof colours>>> = {
  CREATE: '+',
  UPDATE: '~',
  LINK: '=',
  UNLINK: '≠',
  DELETE: '-',
}

/** Unchanged objects are not printed. */
export function isWorthShowing({ writes, refusal }: PlanEntry): boolean {
  return writes || refusal !== undefined
}

/** One operation as a readable diff: a line for the object, one for each attribute. */
export function describeEntry(entry: PlanEntry & Pick<Partial<PlanLine>, 'name' | 'lost'>): string {
  const { action, situation, sourceId, targetId, refusal, changes, name, lost = {} } = entry
  const sign = refusal === undefined ? (signs[action ?? ''] ?? '!') : '!'
  const target = targetId ?? (action === 'CREATE' ? '(new)' : '(none)')
  const ids = [sourceId ?? '(no source)', target].join(' → ')
  const qualifier = entry.linkQualifier === 'default' ? '' : ` [${entry.linkQualifier}]`
  const called = name === undefined || name === sourceId ? '' : `  · ${name}`
  const head = `${sign} ${action ?? 'FAILED'}  ${ids}${qualifier}  ${situation ?? ''}${called}`
  const ambiguous =
    entry.ambiguousTargetIds.length > 0 ? `    candidates: ${entry.ambiguousTargetIds.join(', ')}` : undefined
  const unforeseen = entry.unforeseen && `    may change more: ${entry.unforeseen}`
  const reason = refusal && `    ${refusal}`
  const due = entry.deleteAfter && `    disabled; to be deleted after ${entry.deleteAfter}`
  const lines = [
    style(colours[sign], head),
    reason,
    due,
    ambiguous,
    ...changes.map(describeChange),
    ...Object.entries(lost).map(([name, before]) =>
      describeChange({ pointer: [name], before, after: undefined }),
    ),
    unforeseen,
  ]
  return lines.filter(Boolean).join('\n')
}

/** `~ mail: "a" → "b"`, indented. */
export function describeChange({ pointer, before, after }: Change): string {
  const name = printPointer(pointer).slice(1)
  const show = (value: Json | undefined) => (value === mask ? mask : JSON.stringify(value))
  if (before === undefined) return `    ${style('green', `+ ${name}: ${show(after)}`)}`
  if (after === undefined) return `    ${style('red', `- ${name}: ${show(before)}`)}`
  return `    ${style('yellow', `~ ${name}: ${show(before)} → ${show(after)}`)}`
}

/** Prints entries as they come, so a plan of any size is one JSON document without being held in memory. `more`: other members. */
export function entryPrinter() {
  let separator = '{"entries":[\n'
  return {
    entry(line: PlanLine): void {
      process.stdout.write(`${separator}${JSON.stringify(line)}`)
      separator = ',\n'
    },
    end(more = ''): void {
      process.stdout.write(`${separator.startsWith('{') ? separator : ''}]${more}}\n`)
    },
  }
}
