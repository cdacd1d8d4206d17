import { expect, test } from 'vitest';
import { countsByTime, longestGap, longestTrouble, spreadOf } from './gaps.ts';

test('a gap counts when it ends after the fault, also where it began before', () => {
  expect(longestGap([0, 100, 110, 150, 155], 105)).toBe(40);
  expect(longestGap([0, 100, 110], 90)).toBe(100);
  expect(longestGap([0, 100], 101)).toBe(0);
  expect(longestGap([], 0)).toBe(0);
});

test('trouble is from the first sending of a write to its success', () => {
  const troubles = [
    { fromMs: 0, toMs: 90 },
    { fromMs: 100, toMs: 130 },
    { fromMs: 101, toMs: 126 },
  ];
  expect(longestTrouble(troubles, 95)).toBe(30);
  expect(longestTrouble([], 0)).toBe(0);
});

test('percentiles are values that were measured', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ p50: 3, p90: 5, p99: 5, max: 5 });
  expect(spreadOf([7])).toEqual({ p50: 7, p90: 7, p99: 7, max: 7 });
  expect(spreadOf([])).toBeUndefined();
});

test('acknowledgements are counted by pieces of time, the end left out', () => {
  const times = [-5, 0, 4, 9, 10, 29, 30];
  expect(countsByTime(times, { fromMs: 0, toMs: 30, bucketMs: 10 })).toEqual([3, 1, 1]);
});
