import { isJsonObject, type Json, type JsonObject } from '../../model/json.ts'
import { Problem } from '../../model/problem.ts'
import type { ManagedType } from '../type/type.ts'

/**
 * The types of a `config/managed` document. CONFIGURATION for what is not a type or appears twice: the shape of the
 * schemas below was checked when the project was read.
 */
export function managedTypes(document: JsonObject): readonly ManagedType[] {
  const types = Array.isArray(document.objects) ? document.objects : []
  const names = new Set<string>()
  return types.map((type, index) => {
    if (!isManagedType(type))
      throw new Problem('CONFIGURATION', `conf/managed.json: objects/${index} needs a "name"`)
    if (names.has(type.name))
      throw new Problem('CONFIGURATION', `conf/managed.json: "${type.name}" appears twice`)
    names.add(type.name)
    return type
  })
}

function isManagedType(value: Json): value is ManagedType {
  return isJsonObject(value) && typeof value.name === 'string' && /^[^/\s]+$/.test(value.name)
}
