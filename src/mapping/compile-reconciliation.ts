import { asObject, isJsonObject, type Json } from '../model/json.ts'
import type { Pointer } from '../model/pointer.ts'
import { readGuard } from './guard.ts'
import type { PropertyMapping, ReconciliationSettings } from './mapping.ts'
import { isEverything, readQuery } from './query.ts'
import type { Reading } from './reading.ts'

const pageSize = 500
/** Ids are small. */
const targetPageSize = 5000

export function reconciliationIn(
  reading: Reading,
  source: string,
  target: string,
  properties: readonly PropertyMapping[],
): ReconciliationSettings {
  const own = reading.configuration
  const query = (property: string, resource: string) => {
    const configured = own[property]
    if (configured !== undefined && !isJsonObject(configured))
      reading.error([property], `${property} must be a query object`)
    const found = isJsonObject(configured) ? configured : undefined
    return reading.attempt([property], () => readQuery(found, resource)) ?? readQuery(undefined, resource)
  }
  const stored = asObject(own.reconAssociation)
  return {
    sourceQuery: query('sourceQuery', source),
    targetQuery: query('targetQuery', target),
    sourceQueryFullEntry: reading.flag('sourceQueryFullEntry'),
    targetQueryFullEntry: reading.flag('targetQueryFullEntry'),
    sourceFields: fieldsIn(reading, 'defaultSourceFields'),
    targetFields: targetFieldsIn(reading, properties),
    runTargetPhase: reading.flag('runTargetPhase'),
    allowEmptySourceSet: reading.flag('allowEmptySourceSet') ?? false,
    guard: reading.attempt(['guard'], () => readGuard(own.guard)) ?? readGuard(undefined),
    maxFailures: typeof own.maxFailures === 'number' ? own.maxFailures : undefined,
    taskThreads: numberOr(own.taskThreads, 10),
    pageSize,
    sourcePageSize: pageSizeIn(reading, 'reconSourceQuery', pageSize),
    targetPageSize: pageSizeIn(reading, 'reconTargetQuery', targetPageSize),
    cleanUpLinks: reading.flag('cleanUpLinks') ?? false,
    storedRuns: {
      analysis: numberOr(stored.maxAnalysisRunsPerMapping, 1),
      others: numberOr(stored.maxNonAnalysisRunsPerMapping, 1),
    },
  }
}

/** Undefined: everything. */
function fieldsIn(reading: Reading, property: string): readonly Pointer[] | undefined {
  const configured = reading.configuration[property] ?? []
  if (!Array.isArray(configured)) return reading.error([property], `${property} must be an array of pointers`)
  const fields = configured.map((field, index) => reading.pointer(field, [property, index]) ?? [])
  return isEverything(fields) ? undefined : fields
}

/** Always includes what properties write: without the current value, every run would write it again. */
function targetFieldsIn(
  reading: Reading,
  properties: readonly PropertyMapping[],
): readonly Pointer[] | undefined {
  const configured = fieldsIn(reading, 'defaultTargetFields')
  return configured && [...configured, ...properties.map(({ target }) => target)]
}

/** `…PageSize` if `…Paging` is on, else our own size: we always read in pages. */
function pageSizeIn(
  reading: Reading,
  query: 'reconSourceQuery' | 'reconTargetQuery',
  standard: number,
): number {
  const { [`${query}Paging`]: paging, [`${query}PageSize`]: size } = reading.configuration
  if (paging !== true) return standard
  return numberOr(size, query === 'reconSourceQuery' ? 1000 : standard)
}

function numberOr(value: Json | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}
