// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these placeholders are the configuration's
import { durationOf } from '../../model/duration.ts'
import { parseFilter } from '../../model/filter/parse.ts'
import { FindingError } from '../../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { nearMiss } from '../../model/nearest.ts'
import { type Pointer, parsePointer, printPointer } from '../../model/pointer.ts'
import { atTime } from './time.ts'

/** A parsed task scan of the configuration (platform §8, "Task scanner context"). */
export interface TaskScan {
  /** The object set, e.g. `managed/user`. */
  readonly object: string
  /** The query as configured. Placeholders are replaced when it runs. */
  readonly query: JsonObject
  /** An object is due if the date in this property is before that time. */
  readonly due: { readonly property: Pointer; readonly before: string } | undefined
  readonly started: Pointer
  readonly completed: Pointer
  /** ms after which a task that started and did not complete is considered dead; undefined: never. */
  readonly timeout: number | undefined
  readonly maxRecords: number | undefined
  readonly threads: number
  readonly waits: boolean
  readonly script: Json
}

const queryKeys = ['_queryFilter', '_queryId', '_queryExpression']
const ownKeys = ['object', 'property', 'condition', 'taskState', 'recovery']

/** Throws a FindingError for the first error. */
export function readTaskScan({
  scan,
  task,
  maxRecords,
  numberOfThreads,
  waitForCompletion,
}: JsonObject): TaskScan {
  if (!isJsonObject(scan)) throw fault(['scan'], 'says which objects have a task, and is missing')
  if (!isJsonObject(task) || !isJsonObject(task.script))
    throw fault(['task', 'script'], 'the script of the task is missing')
  const { object, taskState, recovery } = scan
  if (typeof object !== 'string' || object === '')
    throw fault(['scan', 'object'], 'must name an object set such as managed/user')
  const query = Object.fromEntries(Object.entries(scan).filter(([key]) => !ownKeys.includes(key)))
  requireRestriction(scan, query)
  const state = isJsonObject(taskState) ? taskState : {}
  const due = dueIn(scan)
  const read: TaskScan = {
    object,
    query: query._queryId === stockQuery ? filterOfStockQuery(due, query) : query,
    due,
    started: pointerIn(state.started, 'started'),
    completed: pointerIn(state.completed, 'completed'),
    timeout: isJsonObject(recovery)
      ? durationIn(recovery.timeout, ['scan', 'recovery', 'timeout'])
      : undefined,
    maxRecords: countIn(maxRecords, 'maxRecords'),
    threads: countIn(numberOfThreads, 'numberOfThreads') ?? 10,
    waits: waitForCompletion === true,
    script: task.script,
  }
  checkFilter(read)
  return read
}

/**
 * The query that OpenIDM ships with its repositories, and that all its samples of scans name: objects whose date is past, and whose
 * task has not completed. The date itself is looked at object by object.
 */
const stockQuery = 'scan-tasks'

function filterOfStockQuery(due: TaskScan['due'], { _queryId, ...others }: JsonObject): JsonObject {
  if (!due) throw fault(['scan', 'property'], `is missing: "${stockQuery}" asks for a date in a property`)
  const _queryFilter = `${printPointer(due.property)} pr and !(\${taskState.completed} pr)`
  return { ...others, _queryFilter }
}

/** A key that is misspelt, or half of a condition, would make every object due. */
function requireRestriction(scan: JsonObject, query: JsonObject): void {
  const given = queryKeys.filter((key) => (query[key] ?? null) !== null)
  const all = [...queryKeys, ...ownKeys]
  for (const key of Object.keys(query)) {
    const meant = all.includes(key) ? undefined : nearMiss(key, all)
    if (meant !== undefined && (scan[meant] ?? null) === null)
      throw fault(['scan', key], `is not known; did you mean ${meant}?`)
  }
  if (given.length !== 1) throw fault(['scan'], `needs exactly one of ${queryKeys.join(', ')}`)
}

/** The query's parameters at a time: `${Time.now + 1d}`, `${taskState.completed}`. */
export function queryAt({ query, started, completed }: TaskScan, now: number): JsonObject {
  const fill = (text: string) =>
    atTime(text, now)
      .replaceAll('${taskState.started}', printPointer(started))
      .replaceAll('${taskState.completed}', printPointer(completed))
  return Object.fromEntries(
    Object.entries(query).map(([key, value]) => [key, typeof value === 'string' ? fill(value) : value]),
  )
}

function checkFilter(scan: TaskScan): void {
  const { _queryFilter } = queryAt(scan, 0)
  if (typeof _queryFilter !== 'string') return
  try {
    parseFilter(_queryFilter)
  } catch (error) {
    throw fault(['scan', '_queryFilter'], (error as Error).message)
  }
}

function dueIn({ property, condition }: JsonObject): TaskScan['due'] {
  const before = isJsonObject(condition) ? condition.before : undefined
  if (property === undefined && condition === undefined) return undefined
  if (property === undefined)
    throw fault(['scan', 'property'], 'is missing: `condition` says when, `property` of what')
  if (before === undefined)
    throw fault(['scan', 'condition', 'before'], 'is missing: `property` says of what, `condition` when')
  if (typeof property !== 'string') throw fault(['scan', 'property'], 'must be a pointer')
  if (typeof before !== 'string' || Number.isNaN(Date.parse(atTime(before, 0))))
    throw fault(['scan', 'condition', 'before'], 'must be a time, e.g. "${Time.now + 1d}"')
  return { property: parsePointer(property), before }
}

function pointerIn(value: Json | undefined, member: 'started' | 'completed'): Pointer {
  const pointer = typeof value === 'string' ? parsePointer(value) : []
  if (pointer.length > 0) return pointer
  const message = 'must be a pointer to where the object says how far its task is'
  throw fault(['scan', 'taskState', member], message)
}

function durationIn(value: Json | undefined, place: readonly string[]): number | undefined {
  if (value === undefined || value === null) return undefined
  const duration = typeof value === 'number' ? value : durationOf(String(value))
  if (duration !== undefined) return duration
  throw fault(place, `${JSON.stringify(value)} is no duration; write e.g. 10m`)
}

function countIn(value: Json | undefined, member: string): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value
  throw fault([member], `${JSON.stringify(value)} is no whole number from 1`)
}

function fault(place: readonly string[], message: string): FindingError {
  return new FindingError('BAD_REQUEST', { place, message: `${place.join('/')}: ${message}` })
}
