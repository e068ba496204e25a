import { existsSync } from 'node:fs'

/** A program that the engine must refuse to load. */
export const program = { address: import.meta.url, procedures: { impure: () => () => existsSync('/') } }
