/**
 * Helpers to write configuration schemas. A schema serves three purposes: files are checked against it, editors
 * complete from it, and docs/configuration.md is generated from it. So every property has a description, and a
 * default if there is one. Keywords beginning with `x-` are ours; check/schema.ts explains them.
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

/** One of a few words. Messages call it by `noun`, e.g. `a situation`. */
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

/** An object with any members. */
export function anyObject(description: string, extra: Extra = {}): TSchema {
  return object({}, description, extra)
}

/** An object whose keys are free and whose values have one schema. */
export function dictionary(values: TSchema, description: string, extra: Extra = {}): TSchema {
  return Type.Optional(Type.Object({}, { additionalProperties: values, description, ...extra }))
}

/** One of several shapes. Errors are reported for the shape that was evidently meant. */
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

/** The same, required. */
export function ref(name: string): TSchema {
  return Type.Unsafe({ $ref: `#/$defs/${name}` })
}

/** The branches of a condition. */
export const filterOrScript: readonly TSchema[] = [
  Type.String({ format: 'query-filter', 'x-noun': 'a query filter' }),
  ref('script'),
]

/** The functions above make optional properties. This removes their mark, which is not enumerable. */
export function required(schema: TSchema): TSchema {
  return Type.Unsafe({ ...schema })
}

/** A script that runs at some moment. */
export function hook(description: string): TSchema {
  return shape('script', description)
}

/** For a setting that is accepted but has no effect. A value other than the default causes a warning with the reason. */
export function withoutEffect(reason: string): Extra {
  return { 'x-noEffect': reason }
}

/** A setting of OpenIDM that is read without effect, of the type that `make` makes. */
export function unused(reason: string, make: (description: string, extra: Extra) => TSchema = text): TSchema {
  return make('Read for compatibility.', withoutEffect(reason))
}
