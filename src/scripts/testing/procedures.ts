import type { Json } from '../../model/json.ts'
import { parsePointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type { Ask, Call, Program } from '../engine.ts'

/** Procedures for the engine's own tests: they run in the sandbox like those of a mapping. */

type Variables = Readonly<Record<string, unknown>>

/** {script, variables} → the script's value. */
const one =
  () =>
  ({ script, variables }: { readonly script: string; readonly variables: Variables }, call: Call) =>
    call(script, variables)

/** A source → the values of all scripts that the settings name. */
const each = (scripts: readonly string[]) => (source: unknown, call: Call) =>
  scripts.map((script) => call(script, { source }))

/** The input after the scripts have changed it. */
const mutated = () => (input: Json, call: Call) => {
  call('script', { target: input })
  return input
}

/** Adds to the script's failure, as a mapping does. */
const wrapped = () => (input: Json, call: Call) => {
  try {
    return call('script', { source: input })
  } catch (error) {
    throw new Problem('SYNC_FAILED', 'transforming attribute /mail failed', { cause: error })
  }
}

/** The script with a function that asks the caller. */
const asking = () => (input: Json, call: Call, ask: Ask) =>
  call('script', { source: input, ask: (name: string, ...args: readonly unknown[]) => ask(name, args) })

const pointer = () => (input: string) => [...parsePointer(input)]

export const program = {
  address: import.meta.url,
  procedures: { one, each, mutated, wrapped, asking, pointer },
} satisfies Program

/** The same, with scripts that reach nothing of the server. */
export const apart = { ...program, apart: true } satisfies Program
