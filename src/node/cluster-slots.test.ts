/** Goal: keys of slots that went away are deleted, however many slots they are of, and never many in one turn. */
import { expect, test } from 'vitest';
import { type Slot, keySlot, seededRng, unixMs } from '../base/index.ts';
import { Keyspace } from '../keyspace/index.ts';
import { SlotCleaner } from './cluster-slots.ts';
import type { ClusterHost } from './cluster-host.ts';

const SLOTS = 40;
const KEYS_OF_SLOT = 100;

test('many small slots go in slices, and one that came back stays', () => {
  const hooks = { expired() {}, touched() {}, replaced() {}, rubbish() {} };
  const keyspace = new Keyspace({ rng: seededRng(1), clusterMode: true, databases: 1, hooks });
  keyspace.nowMs = unixMs(1);
  const db = keyspace.db(0);
  const value = { buf: Buffer.from('v'), at: 0, size: 1 };
  const slots = Array.from({ length: SLOTS }, (_, n) => {
    for (let i = 0; i < KEYS_OF_SLOT; i++) {
      const key = Buffer.from(`{${n}}${i}`);
      db.setString(key, 0, key.length, value);
    }
    return keySlot(Buffer.from(String(n)), 0, String(n).length);
  });
  const slices: (() => boolean)[] = [];
  const deleted: string[] = [];
  const host: Pick<ClusterHost, 'propagate' | 'notifyDeleted'> = {
    propagate: (_db, args) => deleted.push(args.join(' ')),
    notifyDeleted: () => undefined,
  };
  const mine = new Set<Slot>();
  const inside = { keyspace, addWork: (slice: () => boolean) => void slices.push(slice) };
  const cleaner = new SlotCleaner(inside, host as ClusterHost, (slot) => mine.has(slot));
  const { dirty } = keyspace;
  for (const slot of slots) cleaner.add(slot);
  expect(deleted.length).toBeLessThanOrEqual(1000);
  expect([slices.length, cleaner.slots.size > 0]).toEqual([1, true]);
  mine.add(slots.at(-1)!);
  for (let before = deleted.length; slices[0]!(); before = deleted.length) {
    expect(deleted.length - before).toBeLessThanOrEqual(256);
  }
  expect(db.size).toBe(KEYS_OF_SLOT);
  expect(new Set(deleted).size).toBe((SLOTS - 1) * KEYS_OF_SLOT);
  expect([cleaner.slots.size, keyspace.dirty]).toEqual([0, dirty]);
  // The next ones may go at once again.
  mine.clear();
  cleaner.add(slots.at(-1)!);
  expect(db.size).toBe(0);
});
