import { defineConfig } from 'vitest/config';

const MINUTE_MS = 60_000;
/** By itself vitest leaves one core idle, which is half of a small machine. */
const WORKERS = 2;

// Run one with `npx vitest run --project unit`; `npm test` runs all of them.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'sim/**/*.test.ts',
            'tests/{golden,fuzz-clients,fuzz-commands}/**/*.test.ts',
          ],
          testTimeout: 20_000,
          // No test leaves anything behind in a module, and a process for each of 140 files costs more than they do.
          isolate: false,
          maxWorkers: WORKERS,
        },
      },
      { test: { name: 'tidy', include: ['tests/tidy/**/*.test.ts'], testTimeout: MINUTE_MS } },
      {
        // Real processes on real ports, which wait for each other half of the time: two files at once.
        test: {
          name: 'interop',
          include: ['tests/{interop,conformance,e2e,chaos}/**/*.test.ts'],
          maxWorkers: WORKERS,
          testTimeout: MINUTE_MS,
          hookTimeout: MINUTE_MS,
        },
      },
    ],
  },
});
