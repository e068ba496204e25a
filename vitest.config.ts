import { defineConfig } from 'vitest/config'

/**
 * Tests that are slow by nature: they kill or start processes, use up limits, wait for clocks, fill disks, need very many
 * rows or requests, or install the package. `npm test -- --fast` leaves them out.
 */
const slow = '{src,test}/**/*.slow.test.ts'

/** Ends what hangs, and nothing else: a machine that is ten times slower must pass as well. */
const hung = 600_000

export default defineConfig({
  test: {
    // Two cores are the machine we plan for; more workers only fight each other.
    maxWorkers: 2,
    testTimeout: hung,
    hookTimeout: hung,
    expect: { poll: { timeout: hung, interval: 50 } },
    // isolated-vm is a native addon and wants whole processes, not worker threads.
    pool: 'forks',
    // Files are independent of each other: nothing is mocked, and importing the application again costs more than most tests.
    isolate: false,
    projects: [
      { extends: true, test: { name: 'unit', include: ['src/**/*.test.ts'], exclude: [slow] } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: [slow],
          globalSetup: 'test/support/build-program.ts',
        },
      },
      {
        extends: true,
        test: { name: 'slow', include: [slow], globalSetup: 'test/support/build-program.ts' },
      },
    ],
  },
})
