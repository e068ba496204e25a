import {
  apply,
  defineProperty,
  globalObject,
  numberOf,
  objectOf,
  RangeErrorConstructor,
  textOf,
} from './primordials.ts'

/**
 * Prepares a new context for administrators' scripts: removes built-ins that could block a thread, share memory or run
 * outside a script's time, and limits built-ins with which one statement can exhaust V8 beyond recovery.
 */
export function hardenGlobals(): void {
  for (const name of unwanted) delete globalObject[name]
  hideGlobals()
  // Direct evaluation is how scripts get their completion value: no script may put another function in its place.
  defineProperty(globalThis, 'eval', { writable: false, configurable: false })
  // A formatter of stack traces would get the frames of the sandbox's own functions.
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, configurable: false })
  boundBuiltIns()
}

/** `WebAssembly` because its memories lead back to `SharedArrayBuffer`. */
const unwanted = ['SharedArrayBuffer', 'Atomics', 'WebAssembly', 'FinalizationRegistry', 'WeakRef', 'console']

/** After this, enumerable members of the global object come only from undeclared assignments of scripts. */
function hideGlobals(): void {
  for (const name of Object.keys(globalThis)) defineProperty(globalThis, name, { enumerable: false })
}

/** More elements or characters than this in one call, and V8 ends the process instead of throwing. */
const limit = 1 << 24

function boundBuiltIns(): void {
  bound(String.prototype, 'repeat', (text, args) => textOf(text).length * numberOf(args[0]))
  bound(String.prototype, 'padStart', (_text, args) => numberOf(args[0]))
  bound(String.prototype, 'padEnd', (_text, args) => numberOf(args[0]))
  bound(String.prototype, 'split', lengthOf)
  for (const name of wholeArray) bound(Array.prototype, name, lengthOf)
}

/** Those that visit or copy an array whole without a check in between. */
const wholeArray = [
  'fill',
  'join',
  'slice',
  'sort',
  'reverse',
  'toSorted',
  'toReversed',
  'toSpliced',
  'with',
  'concat',
]

function lengthOf(value: unknown): number {
  return value === undefined || value === null ? 0 : numberOf(objectOf(value).length)
}

function bound(prototype: object, name: string, size: (receiver: unknown, args: unknown[]) => number): void {
  const original: () => unknown = Reflect.get(prototype, name)
  // A method, because a function could be called with `new`.
  const { [name]: replacement = original } = {
    [name](this: unknown, ...args: unknown[]): unknown {
      if (size(this, args) > limit) throw new RangeErrorConstructor(`${name}: too large`)
      return apply(original, this, args)
    },
  }
  defineProperty(replacement, 'length', { value: original.length })
  defineProperty(prototype, name, {
    value: replacement,
    writable: true,
    enumerable: false,
    configurable: true,
  })
}
