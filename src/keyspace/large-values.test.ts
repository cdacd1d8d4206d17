import { expect, test } from 'vitest';
import { type LargeValues, Rubbish, type Rubble } from './large-values.ts';

/** Values of so many blocks each as their first word says; the second is their name. */
class Blocks implements LargeValues {
  /** Names of those that are gone, in order. */
  readonly gone: number[] = [];
  freed = 0;

  dismantle(rubble: Rubble, max: number): boolean {
    const step = Math.min(max, rubble.first - rubble.cursor);
    rubble.cursor += step;
    this.freed += step;
    if (rubble.cursor < rubble.first) return true;
    this.gone.push(rubble.second);
    return false;
  }

  copy(): void {}

  memoryUsage(): number {
    return 0;
  }
}

test('a small value is gone at once, a large one in slices of a bounded size', () => {
  const values = new Blocks();
  let asked = 0;
  const rubbish = new Rubbish(() => asked++);
  rubbish.add(0, { first: 50, second: 1 }, values);
  expect([values.gone, asked, rubbish.pendingCount]).toEqual([[1], 0, 0]);
  rubbish.add(0, { first: 10_000, second: 2 }, values);
  rubbish.add(0, { first: 300, second: 3 }, values);
  expect([asked, rubbish.pendingCount]).toEqual([1, 2]);
  for (let slices = 1; ; slices++) {
    const before = values.freed;
    const isMore = rubbish.collect(2048, () => values);
    expect(values.freed - before).toBeLessThanOrEqual(2048);
    if (isMore) continue;
    expect(slices).toBeLessThan(8);
    break;
  }
  expect(values.gone).toEqual([1, 2, 3]);
  rubbish.add(0, { first: 100, second: 0 }, values);
  expect(asked).toBe(2);
});

test('values that are deleted faster than one a slice do not pile up, and each is freed once', () => {
  const values = new Blocks();
  const rubbish = new Rubbish(() => undefined);
  let most = 0;
  let next = 0;
  for (let slice = 0; slice < 5000; slice++) {
    for (let i = 0; i < 16; i++) rubbish.add(0, { first: 1000, second: next++ }, values);
    const before = values.freed;
    rubbish.collect(2048 * rubbish.haste, () => values);
    expect(values.freed - before).toBeLessThanOrEqual(8 * 2048);
    most = Math.max(most, rubbish.pendingCount);
  }
  while (rubbish.collect(2048, () => values));
  expect(most).toBeLessThan(2000);
  expect(values.gone).toEqual(Array.from({ length: next }, (_, i) => i));
});
