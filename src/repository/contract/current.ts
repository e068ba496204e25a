import type { Repository } from '../repository.ts'

/** The repository of the running test. */
export type Current = () => Repository
