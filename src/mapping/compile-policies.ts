import type { Place } from '../model/finding.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import type { Policy } from './mapping.ts'
import type { Reading } from './reading.ts'
import { type Action, actions, isAction, isSituation, type Situation, situations } from './situation.ts'

export function policyIn(reading: Reading, entry: JsonObject, place: Place): Policy | undefined {
  const situation = situationIn(reading, entry.situation, [...place, 'situation'])
  const action = actionIn(reading, entry.action, [...place, 'action'])
  const condition = reading.condition([...place, 'condition'], entry.condition)
  const postAction = reading.script([...place, 'postAction'], entry.postAction)
  return situation && action && { situation, action, condition, postAction }
}

function situationIn(reading: Reading, value: Json | undefined, place: Place): Situation | undefined {
  const name = typeof value === 'string' ? value.toUpperCase() : value
  if (isSituation(name)) return name
  return reading.error(
    place,
    `${JSON.stringify(value ?? null)} is not a situation; allowed: ${situations.join(', ')}`,
  )
}

function actionIn(reading: Reading, value: Json | undefined, place: Place): Policy['action'] | undefined {
  if (isJsonObject(value)) {
    const script = reading.script(place, value)
    return script === undefined ? undefined : { kind: 'script', script }
  }
  const name = typeof value === 'string' ? value.toUpperCase() : value
  if (isAction(name)) return { kind: 'action', action: name satisfies Action }
  return reading.error(
    place,
    `${JSON.stringify(value ?? null)} is not an action; allowed: ${actions.join(', ')}, or a script`,
  )
}
