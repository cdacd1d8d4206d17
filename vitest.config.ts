import { defineConfig } from 'vitest/config';

const MINUTE_MS = 60_000;

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
            'tests/{golden,fuzz-commands}/**/*.test.ts',
          ],
          testTimeout: 20_000,
        },
      },
      { test: { name: 'tidy', include: ['tests/tidy/**/*.test.ts'], testTimeout: MINUTE_MS } },
      {
        // Real processes on real ports: one file after the other, so that two cores are enough.
        test: {
          name: 'interop',
          include: ['tests/{interop,conformance,e2e,chaos}/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: MINUTE_MS,
          hookTimeout: MINUTE_MS,
        },
      },
    ],
  },
});
