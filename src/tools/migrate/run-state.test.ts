import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunState } from './run-state.ts';

const ENDS = { source: 'a:1', target: 'b:1' };
const COPY = { id: '00ff', phase: 'stream', markSlots: [0], wholeFrom: 9 } as const;

let dir: string;
let state: RunState;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-run-state-'));
  state = RunState.open(dir, ENDS, false);
});

afterEach(() => {
  state.close();
  rmSync(dir, { recursive: true, force: true });
});

/** As the next run finds it. */
function reopen(): RunState {
  state.close();
  state = RunState.open(dir, ENDS, false);
  return state;
}

test('a master is known again by most of its slots', () => {
  const keys = ['0-5460', '5461-10922', '10923-16383'].map((slots) => state.add(slots));
  state.setCopy(keys[2]!, COPY);
  const moved = ['100-9999', '10923-16383', '0-99 10000-10922'];
  const { keys: found, orphans } = reopen().adopt(moved);
  expect(found).toEqual([keys[0], keys[2], keys[1]]);
  expect(orphans).toEqual([]);
  expect(state.copyOf(keys[2]!)).toEqual(COPY);
  expect(state.slotsOf(keys[0]!)).toBe('0-5460');
});

test('a master that joined, and one that left, have no record', () => {
  const [first = '', left = ''] = ['0-8191', '8192-16383'].map((slots) => state.add(slots));
  state.setCopy(left, COPY);
  const unsettled = state.add('-');
  const { keys, orphans } = reopen().adopt(['0-4000', '4001-8191 8192-16383']);
  expect(keys).toEqual([first, left]);
  expect(state.slotsOf(unsettled)).toBe('-');
  expect(orphans).toEqual([]);
  expect(state.adopt(['0-8191']).orphans).toEqual([COPY.id]);
  expect(state.copyOf(left)).toBeUndefined();
});

test('slots are settled for all masters at once', () => {
  const [a = '', b = ''] = ['0-99', '100-16383'].map((slots) => state.add(slots));
  state.disputedSlots = [99];
  state.settle(
    new Map([
      [a, '0-98'],
      [b, '99-16383'],
    ]),
  );
  expect(reopen().disputedSlots).toEqual([]);
  expect([a, b].map((key) => state.slotsOf(key))).toEqual(['0-98', '99-16383']);
});

test('one that is no cluster is known by having no slots to name', () => {
  const key = state.add('all');
  expect(reopen().adopt(['all']).keys).toEqual([key]);
});
