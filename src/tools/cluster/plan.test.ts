import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { BatchPace, batchLength } from './batch-pace.ts';
import { Journal } from './journal.ts';
import { type Plan, describeStep, parsePlan } from './plan.ts';
import { testId } from './test-cluster.ts';

const [A, B] = [testId(0), testId(1)];
const plan: Plan = {
  version: 1,
  verb: 'reshard',
  wish: 'some',
  members: [A, B],
  steps: [
    { kind: 'moveSlots', moves: [{ from: A, to: B, slots: [[0, 9]] }] },
    { kind: 'handOver', node: A, master: B },
  ],
};

test('a plan survives the way through a file', () => {
  expect(parsePlan(JSON.stringify(plan), 'file')).toEqual(plan);
});

test('a plan with a flaw is refused with its place', () => {
  const flawed = [
    'no json',
    '[]',
    JSON.stringify({ ...plan, version: 2 }),
    JSON.stringify({ ...plan, members: ['short'] }),
    JSON.stringify({ ...plan, steps: [{ kind: 'toString' }] }),
    JSON.stringify({ ...plan, steps: [{ kind: 'moveSlots', moves: [{ from: A, to: B }] }] }),
    JSON.stringify({ ...plan, steps: [{ kind: 'closeSlots', node: A, slots: [[5, 16384]] }] }),
  ];
  for (const text of flawed) expect(() => parsePlan(text, 'file')).toThrow('plan in "file"');
});

test('steps are described by addresses', () => {
  const name = (id: string): string => (id === A ? 'a:1' : 'b:2');
  expect(plan.steps.flatMap((step) => describeStep(step, name))).toEqual([
    'move 10 slots from a:1 to b:2: 0-9',
    'hand over from b:2 to its replica a:1',
  ]);
});

test('a journal that was left is found again with the steps that are done', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slotline-journal-'));
  try {
    const first = Journal.begin(folder, plan);
    first.stepDone();
    first.leave();
    expect(Journal.find(folder, [testId(5)])).toBeUndefined();
    const found = Journal.find(folder, [B, testId(5)]);
    expect(found?.plan).toEqual(plan);
    expect(found?.done).toBe(1);
    found?.end();
    expect(Journal.find(folder, [A])).toBeUndefined();
    // Killed while the first line was being written: nothing had begun.
    writeFileSync(join(folder, 'slotline-00000000-1.journal'), '{"version":1');
    expect(Journal.find(folder, [A])).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('batches grow while they are quick and shrink when they are slow', () => {
  const pace = new BatchPace(100);
  let nowMs = 1000;
  const take = (ms: number): void => {
    const sentMs = nowMs;
    nowMs += ms;
    pace.note(pace.keys, { sentMs, endedMs: nowMs });
  };
  for (let count = 0; count < 5; count++) take(1);
  expect(pace.keys).toBe(100);
  for (let count = 0; count < 20; count++) take(pace.keys * 1.4);
  expect(pace.keys).toBe(2);
  for (let count = 0; count < 40; count++) take(10_000);
  expect(pace.keys).toBe(1);
});

test('a batch that waited for the one before took only what it took itself', () => {
  const pace = new BatchPace(1000);
  const alone = new BatchPace(1000);
  for (let ms = 1000; ms < 1200; ms += 10) {
    pace.note(100, { sentMs: ms - 9, endedMs: ms + 10 });
    alone.note(100, { sentMs: ms, endedMs: ms + 10 });
  }
  expect(alone.keys).toBe(30);
  expect(pace.keys).toBeGreaterThan(28);
});

test('a batch is cut by bytes, and never empty', () => {
  expect(batchLength([10, 10, 10], 2, 1000)).toBe(2);
  expect(batchLength([10, 10, 10], 9, 25)).toBe(2);
  expect(batchLength([5000, 1], 9, 25)).toBe(1);
  expect(batchLength([1, 2], 9, 25)).toBe(2);
});
