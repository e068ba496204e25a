import type { Document } from '../feature/feature.ts'
import { asObject, type Json, type JsonObject } from '../model/json.ts'
import { declaresPassword, declaresSecret, passwordAttributes } from '../model/secrecy.ts'

/** Properties that a managed type declares secret or a connector declares as a password, whatever their names. */
export function secretNames(documents: readonly Document[]): (name: string) => boolean {
  const names = new Set(documents.flatMap(({ id, content = {} }) => namesIn(id, content)))
  return (name) => names.has(name)
}

function namesIn(id: string, content: JsonObject): readonly string[] {
  if (id === 'managed') {
    const types = Array.isArray(content.objects) ? content.objects.map(asObject) : []
    return types.flatMap(({ schema }) => declared(asObject(schema).properties, declaresSecret))
  }
  const types = Object.values(asObject(content.objectTypes)).map(asObject)
  return [
    ...types.flatMap(({ properties }) => declared(properties, declaresPassword)),
    ...passwordAttributes(content.configurationProperties),
  ]
}

function declared(properties: Json | undefined, isSecret: (property: JsonObject) => boolean) {
  return Object.entries(asObject(properties)).flatMap(([name, property]) =>
    isSecret(asObject(property)) ? [name] : [],
  )
}
