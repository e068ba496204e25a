import { Problem } from '../../model/problem.ts'
import type { TypeParts } from '../type/compile.ts'
import { noScripts } from '../type/scripts.ts'

/** For types that have neither scripts nor values to encrypt. */
export const plainParts: TypeParts = {
  scripts: noScripts,
  cryptography: {
    encrypt: refuse,
    decrypt: refuse,
    hash: refuse,
    matches: refuse,
    isEncrypted: () => false,
    isHashed: () => false,
  },
}

async function refuse(): Promise<never> {
  throw new Problem('INTERNAL', 'nothing can be encrypted here: there is no key')
}
