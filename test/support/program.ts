import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

/** What the command line's tests start; build-program.ts makes it. Inside the checkout, to find the native libraries. */
export const program = join(root, 'node_modules/.cache/syncline-tests/program')
