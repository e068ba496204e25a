/**
 * Short words to write configuration schemas with. A schema is at once what files are checked against, what editors
 * complete from, and what docs/configuration.md says; hence every property has a description, and a default where
 * one exists. Keywords beginning with `x-` are ours and are explained in check/schema.ts.
 */
import Type, { type TSchema } from 'typebox'

type Extra = Readonly<Record<string, unknown>>

export function text(description: string, extra: Extra = {}): TSchema {
  return Type.Optional(Type.String({ description, ...extra }))
}

export function flag(description: string, standard?: boolean, extra: Extra = {}): TSchema {
  return Type.Optional(
    Type.Boolean({ description, ...(standard === undefined ? {} : { default: standard }), ...extra }),
  )
}

export function whole(description: string, standard?: number, extra: Extra = {}): TSchema {
  return Type.Optional(
    Type.Integer({ description, ...(standard === undefined ? {} : { default: standard }), ...extra }),
  )
}

/** One of a few words. `noun` is how messages call it, e.g. `a situation`. */
export function choice(
  noun: string,
  values: readonly string[],
  description: string,
  extra: Extra = {},
): TSchema {
  return Type.Optional(
    Type.Unsafe<string>({ type: 'string', enum: [...values], description, 'x-noun': noun, ...extra }),
  )
}

export function list(items: TSchema, description: string, extra: Extra = {}): TSchema {
  return Type.Optional(Type.Array(items, { description, ...extra }))
}

export function texts(description: string, extra: Extra = {}): TSchema {
  return list(Type.String(), description, extra)
}

export function object(properties: Record<string, TSchema>, description: string, extra: Extra = {}): TSchema {
  return Type.Optional(Type.Object(properties, { description, ...extra }))
}

/** An object whose keys are free and whose values have one schema. */
export function dictionary(values: TSchema, description: string, extra: Extra = {}): TSchema {
  return Type.Optional(Type.Object({}, { additionalProperties: values, description, ...extra }))
}

/** One of several shapes; errors are those of the shape that was evidently meant. */
export function either(branches: readonly TSchema[], description: string, extra: Extra = {}): TSchema {
  return Type.Optional(Type.Union([...branches], { description, ...extra }))
}

export function anything(description: string, extra: Extra = {}): TSchema {
  return Type.Optional(Type.Unknown({ description, ...extra }))
}

/** A shape from `definitions` (schemas/shared.ts and others). */
export function shape(name: string, description?: string): TSchema {
  return Type.Optional(
    Type.Unsafe({ $ref: `#/$defs/${name}`, ...(description === undefined ? {} : { description }) }),
  )
}

/** The words above make optional properties; this takes that mark, which is not enumerable, away again. */
export function required(schema: TSchema): TSchema {
  return Type.Unsafe({ ...schema })
}

/** Of a setting that is accepted without effect: another value than the default is a warning that gives the reason. */
export function withoutEffect(reason: string): Extra {
  return { 'x-noEffect': reason }
}
