import type { Json, JsonObject } from '../../model/json.ts'
import { ConnectorError } from '../kit/errors.ts'
import type { ObjectClass } from '../kit/schema.ts'
import type { Attributes, Value } from '../kit/values.ts'
import type { ConnectorWrite } from '../kit/write.ts'
import { scriptAttributes, secretsIn } from './objects.ts'
import type { OperationInput } from './program.ts'
import type { ScriptSet } from './script-set.ts'

/** Writes as the scripts get them: `id` is the name of the object, apart from its attributes, as in the Java connector. */
export function writeInput(objectClass: string, write: ConnectorWrite): OperationInput {
  const operation = write.operation.toUpperCase()
  if (write.operation === 'delete')
    return { script: 'delete', operation, variables: { objectClass, uid: write.id } }
  const { __NAME__: name = null, ...attributes } = scriptAttributes(attributesOf(write))
  if (write.operation === 'create') {
    const variables: JsonObject = { objectClass, id: name ?? write.id ?? null, attributes }
    return { script: 'create', operation, variables, returns: 'uid' }
  }
  const variables: JsonObject = { objectClass, uid: write.id, id: name, attributes }
  return { script: 'update', operation, variables, returns: 'uid or nothing' }
}

function attributesOf(write: ConnectorWrite): Attributes {
  if (write.operation === 'delete') return {}
  if (write.operation === 'create') return write.attributes
  return Object.fromEntries(
    write.changes.flatMap((change): [string, Value][] =>
      change.kind === 'delta' ? [] : [[change.attribute, change.kind === 'set' ? change.value : null]],
    ),
  )
}

export function secretsOfWrite(write: ConnectorWrite | undefined): readonly Json[] {
  return write ? secretsIn(attributesOf(write)) : []
}

/** What keeps a write from being given to a script. */
export function refusalOf(
  write: ConnectorWrite,
  scripts: ScriptSet,
  described: ObjectClass | undefined,
): ConnectorError | undefined {
  if (!scripts.has(write.operation))
    return new ConnectorError('unsupported', `The system has no ${write.operation} script`)
  if (!described || write.operation === 'delete') return undefined
  const known = new Map(described.attributes.map((attribute) => [attribute.name, attribute]))
  const given = attributesOf(write)
  const unknown = Object.keys(given).find((name) => !known.has(name) && name !== '__NAME__')
  if (unknown !== undefined)
    return new ConnectorError('schemaViolation', `The schema script describes no attribute ${unknown}`, {
      attribute: unknown,
    })
  if (write.operation !== 'create') return undefined
  const missing = described.attributes.find(
    ({ name, required }) => required && (given[name] ?? null) === null,
  )
  if (!missing) return undefined
  const { name } = missing
  return new ConnectorError('schemaViolation', `${name} is required and has no value`, { attribute: name })
}
