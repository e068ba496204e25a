import type { Document } from '../feature/feature.ts'
import { isJsonObject, type Json, type JsonObject } from '../model/json.ts'
import { declaresPassword, declaresSecret, passwordAttributes } from '../model/secrecy.ts'

/** Properties that a managed type declares secret or a connector declares as a password, whatever their names. */
export function secretNames(documents: readonly Document[]): (name: string) => boolean {
  const names = new Set(documents.flatMap(({ id, content = {} }) => namesIn(id, content)))
  return (name) => names.has(name)
}

function namesIn(id: string, content: JsonObject): readonly string[] {
  if (id === 'managed') {
    const types = Array.isArray(content.objects) ? content.objects.map(object) : []
    return types.flatMap(({ schema }) => declared(object(schema).properties, declaresSecret))
  }
  const types = Object.values(object(content.objectTypes)).map(object)
  return [
    ...types.flatMap(({ properties }) => declared(properties, declaresPassword)),
    ...passwordAttributes(content.configurationProperties),
  ]
}

function declared(properties: Json | undefined, isSecret: (property: JsonObject) => boolean) {
  return Object.entries(object(properties)).flatMap(([name, property]) =>
    isSecret(object(property)) ? [name] : [],
  )
}

function object(value: Json | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
