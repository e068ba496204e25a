import { changing } from '../../kit/contract/changing.ts'
import { type ContractFacts, contractCases, type TestRunner } from '../../kit/contract/contract.ts'

/** The part of the connector contract that is about changes, for one way of finding them. */
export function changingContract(facts: ContractFacts, { describe, it }: TestRunner): void {
  const cases = contractCases(facts).filter(({ name }) => Object.hasOwn(changing, name))
  describe(`changes of ${facts.name}`, () => {
    for (const { name, run } of cases)
      it(name, async () => {
        const outcome = await run()
        if (outcome !== 'kept') throw new Error(`${name}: ${outcome}`)
      })
  })
}
