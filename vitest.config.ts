import { defineConfig } from 'vitest/config';

import { LongestFirst } from './test/support/longest-first.ts';

export default defineConfig({
  // Vite would take graphql's ES modules, but packages that Node.js loads itself get its CommonJS
  // ones: two copies, and graphql refuses the objects of the other.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['dist/**', 'node_modules/**'],
    globalSetup: ['test/support/global-setup.ts'],
    // Processes, not threads: tests change process.env and send signals to themselves.
    pool: 'forks',
    // A process runs one file after another: the service's modules are loaded, and warm, once.
    // Files restore what they change of the process.
    isolate: false,
    // One more than the processors of a small machine: much of the time is spent waiting for
    // PostgreSQL, other processes and clocks.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    // Ends what hangs. What is waited for is not measured: a busy machine may stand still for
    // seconds.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
