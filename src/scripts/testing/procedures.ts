import { parsePointer } from '../../model/pointer.ts'
import { Problem } from '../../model/problem.ts'
import type { ProcedureFactory } from '../engine.ts'

/** Procedures for the engine's own tests: they run in the sandbox like those of a mapping. */

/** {script, variables} → the script's value. */
export const one: ProcedureFactory = () => (input, call) => {
  const { script, variables } = input as { script: string; variables: Record<string, unknown> }
  return call(script, variables) as never
}

/** A source → the values of all scripts that the settings name. */
export const each: ProcedureFactory = (settings) => {
  const scripts = settings as string[]
  return (source, call) => scripts.map((script) => call(script, { source }) as never)
}

/** What an input becomes in the scripts' hands. */
export const mutated: ProcedureFactory = () => (input, call) => {
  call('script', { target: input })
  return input
}

/** Adds to what the script failed with, as a mapping does. */
export const wrapped: ProcedureFactory = () => (input, call) => {
  try {
    return call('script', { source: input }) as never
  } catch (error) {
    throw new Problem('SYNC_FAILED', 'transforming attribute /mail failed', { cause: error })
  }
}

export const pointer: ProcedureFactory = () => (input) => [...parsePointer(input as string)]
