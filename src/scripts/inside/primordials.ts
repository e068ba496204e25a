/**
 * The built-ins that the sandbox's own code relies on, taken before any script runs. Scripts may overwrite
 * `JSON.stringify`, `Array.prototype.map` or `Date.now`; the code in this folder uses these instead, and for
 * the same reason neither spreads nor iterates nor calls methods of values.
 */
/** Even its name is a member of it that a script may delete. */
export const globalObject = globalThis as Record<string, unknown>
export const stringify = JSON.stringify
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
export const nullObject = <T>(): Record<string, T> => createObject(null) as Record<string, T>
/** Compiles in the global scope: called by another name than `eval`, it sees nothing of its caller. */
// biome-ignore lint/security/noGlobalEval: this runs in the sandbox and compiles the administrator's scripts
export const compileGlobally: (code: string) => unknown = eval

export const PromiseConstructor = Promise
export const ErrorConstructor = Error
export const RangeErrorConstructor = RangeError
export const TypeErrorConstructor = TypeError
export const sliceText = unbound(String.prototype.slice)
export const findMatch = unbound(RegExp.prototype.exec)
export const textOf = String

const createObject = Object.create as (prototype: null) => unknown

type Unbound<F> = F extends (...args: infer A) => infer R ? (receiver: unknown, ...args: A) => R : never

/** `unbound(f)(receiver, x)` is `receiver.f(x)`, whatever becomes of `f`, `call` and `apply` later. */
export function unbound<F extends (...args: never[]) => unknown>(method: F): Unbound<F> {
  return Function.prototype.call.bind(method as never) as Unbound<F>
}
