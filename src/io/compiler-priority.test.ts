import { expect, test } from 'vitest';
import { workersAmong } from './compiler-priority.ts';

const FLAGS = ['--always-sparkplug', '--v8-pool-size=1'];

test('the worker is the second thread behind the main one', () => {
  expect(workersAmong([104, 100, 102, 101], 100, FLAGS)).toEqual([102]);
  expect(workersAmong([100, 101, 102, 103, 104], 100, ['--v8-pool-size=2'])).toEqual([102, 103]);
});

test('nobody can tell it where thread numbers started anew, or the runtime was started otherwise', () => {
  expect(workersAmong([32_768, 2, 3, 4], 32_768, FLAGS)).toEqual([]);
  expect(workersAmong([100, 101, 102], 100, ['--always-sparkplug'])).toEqual([]);
  expect(workersAmong([100, 101, 102], 100, ['--v8-pool-size=0'])).toEqual([]);
});
