import { defineProperty, ErrorConstructor, hasOwn, parse, stringify } from './primordials.ts'

/**
 * The only way out of the sandbox: passes the name of a host function and its arguments as JSON text, and waits for JSON
 * text. The reference to the host stays in this module; scripts never get it.
 */
export interface HostReference {
  applySyncPromise(receiver: undefined, args: readonly [string, string]): string
}

interface Answer {
  readonly value?: unknown
  readonly error?: Refusal
}

interface Refusal {
  readonly code: number
  readonly message: string
  readonly detail?: unknown
}

let host: HostReference | undefined

export function connect(reference: HostReference): void {
  host = reference
}

/** Returns the host's answer. If the host refused, throws an error with `code`, `message` and `detail`. */
export function ask(name: string, args: readonly unknown[]): unknown {
  if (!host) throw new ErrorConstructor('the sandbox is not connected to its host')
  const answer: Answer = parse(host.applySyncPromise(undefined, [name, stringify(args)]))
  if (hasOwn(answer, 'error') && answer.error) throw refusal(answer.error)
  return hasOwn(answer, 'value') ? answer.value : undefined
}

/** All three are enumerable, so that scripts which log or copy the error see them. */
function refusal({ code, message, detail }: Refusal): Error {
  const error = new ErrorConstructor(message)
  defineProperty(error, 'message', { value: message, enumerable: true, writable: true, configurable: true })
  defineProperty(error, 'code', { value: code, enumerable: true, writable: true, configurable: true })
  if (detail !== undefined) {
    defineProperty(error, 'detail', { value: detail, enumerable: true, writable: true, configurable: true })
  }
  return error
}
