import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Two cores are the machine we plan for; more workers only fight each other.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // isolated-vm is a native addon and wants whole processes, not worker threads.
    pool: 'forks',
  },
})
