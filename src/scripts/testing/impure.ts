import { existsSync } from 'node:fs'
import type { ProcedureFactory } from '../engine.ts'

/** What the engine must refuse to load. */
export const impure: ProcedureFactory = () => () => existsSync('/')
