/**
 * The built-ins that the sandbox's own code uses, saved before any script runs. Scripts may overwrite
 * `JSON.stringify`, `Array.prototype.map` or `Date.now`, so the code in this folder uses these copies. For the same
 * reason it does not spread, iterate or call methods of values.
 */
/** Even the name `globalThis` is a member that a script may delete. */
export const globalObject: Record<string, unknown> = globalThis
export const stringify = JSON.stringify
/** Undefined for values that JSON omits, such as functions. */
export const jsonText: (value: unknown) => string | undefined = JSON.stringify
export const parse = JSON.parse
export const now = Date.now
export const apply = Reflect.apply
export const keysOf = Object.keys
export const hasOwn = Object.hasOwn
export const isArray = Array.isArray
export const isFiniteNumber = Number.isFinite
export const isInteger = Number.isInteger
export const defineProperty = Object.defineProperty
export const freeze = Object.freeze
export const nullObject = <T>(): Record<string, T> => createObject(null)
/** Compiles in the global scope: called under another name than `eval`, it does not see its caller's variables. */
// biome-ignore lint/security/noGlobalEval: this runs in the sandbox and compiles the administrator's scripts
export const compileGlobally = eval

export const PromiseConstructor = Promise
export const ErrorConstructor = Error
export const RangeErrorConstructor = RangeError
export const TypeErrorConstructor = TypeError
export const sliceText = unbound(String.prototype.slice)
export const indexIn = unbound(String.prototype.indexOf)
export const findMatch = unbound(RegExp.prototype.exec)
export const isEnumerable = unbound(Object.prototype.propertyIsEnumerable)
export const textOf = String
export const numberOf = Number
/** A primitive in its wrapper. */
export const objectOf: (value: unknown) => { readonly length?: unknown } = Object

const createObject = Object.create

/** `unbound(f)(receiver, x)` is `receiver.f(x)`, whatever becomes of `f`, `call` and `apply` later. */
function unbound<A extends unknown[], R>(method: (...args: A) => R): (receiver: unknown, ...args: A) => R {
  return Function.prototype.call.bind(method)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
