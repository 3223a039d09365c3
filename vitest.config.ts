import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes, not threads: several suites end a process or a worker on purpose.
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 600_000,
  },
})
