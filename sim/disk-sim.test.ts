/** Goal: a log keeps what it promised through kills and losses of power. Method: seeds; and a disk that promises too much. */
import { expect, test } from 'vitest';
import { type FsyncPolicy, runDiskSim } from './disk-sim.ts';

const SEEDS = 4;

test.each<FsyncPolicy>(['always', 'everysec'])('appendfsync %s keeps its promise', (policy) => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { flaws, acknowledged } = runDiskSim({ seed, policy, lives: 6 });
    expect(flaws, `seed ${seed}`).toEqual([]);
    expect(acknowledged).toBeGreaterThan(100);
  }
});

test.each<[promised: FsyncPolicy, actual: FsyncPolicy | 'no']>([
  ['always', 'everysec'],
  ['everysec', 'no'],
])('%s that is really %s is found', (policy, actualPolicy) => {
  const found = Array.from({ length: SEEDS }, (_, i) =>
    runDiskSim({ seed: i + 1, policy, actualPolicy }),
  );
  expect(found.some(({ flaws }) => flaws.length > 0)).toBe(true);
});
