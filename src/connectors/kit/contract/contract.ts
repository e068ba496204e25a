import { accounts } from './accounts.ts'
import { Bench, type ContractFacts, type Laws, NotOffered } from './bench.ts'
import { changing } from './changing.ts'
import { exchanging } from './exchanging.ts'
import { filters } from './filters.ts'
import { paging } from './paging.ts'
import { reading } from './reading.ts'
import { values, writing } from './writing.ts'

export type { ContractFacts, OpenSystem } from './bench.ts'

const laws: Laws = {
  ...reading,
  ...filters,
  ...paging,
  ...writing,
  ...exchanging,
  ...values,
  ...accounts,
  ...changing,
}

export interface ContractCase {
  readonly name: string
  /** Rejects if the connector breaks the rule. Missing capabilities are not tested. */
  run(): Promise<'kept' | 'not offered'>
}

/** The cases of the contract for one connector; each opens an empty system of its own. */
export function contractCases(facts: ContractFacts): readonly ContractCase[] {
  return Object.entries(laws).map(([name, check]) => ({
    name,
    async run() {
      await using bench = await Bench.open(facts)
      try {
        await check(bench)
        return 'kept'
      } catch (error) {
        if (error instanceof NotOffered) return 'not offered'
        throw error
      }
    },
  }))
}

/** The part of a test runner that the contract needs: Vitest, `node:test` and others have it. */
export interface TestRunner {
  describe(name: string, define: () => void): unknown
  it(name: string, run: () => Promise<void>): unknown
}

/** Runs the contract: `connectorContract(facts, { describe, it })` in the connector's test file. */
export function connectorContract(facts: ContractFacts, { describe, it }: TestRunner): void {
  describe(`the connector contract for ${facts.name}`, () => {
    for (const { name, run } of contractCases(facts))
      it(name, async () => {
        await run()
      })
  })
}
