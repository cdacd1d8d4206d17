/** Snapshots against a copy made at their start, while the databases change in every way. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng, unixMs } from '../base/index.ts';
import {
  type BytesView,
  type Database,
  type Entries,
  Keyspace,
  NONE,
  type Ref,
  type Snapshot,
  append,
} from './index.ts';

const hooks = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };
const textOf = ({ buf, at, size }: BytesView): string =>
  Buffer.from(buf.subarray(at, at + size)).toString('latin1');
const record = (entries: Entries, ref: Ref): string =>
  `${textOf(entries.stringView(ref))} ${entries.expireAt(ref)}`;

function createKeyspace(clusterMode = false): Keyspace {
  const keyspace = new Keyspace({ rng: seededRng(9), hooks, databases: 2, clusterMode });
  keyspace.nowMs = unixMs(1000);
  return keyspace;
}

function copyOf(keyspace: Keyspace): Map<string, string> {
  const copy = new Map<string, string>();
  for (const db of keyspace.databases) {
    db.forEach((ref) => {
      copy.set(`${db.index}:${textOf(db.entries.key(ref))}`, record(db.entries, ref));
    });
  }
  return copy;
}

interface Running {
  snapshot: Snapshot;
  expected: Map<string, string>;
  seen: Map<string, string>;
}

function start(keyspace: Keyspace): Running | undefined {
  const seen = new Map<string, string>();
  const expected = copyOf(keyspace);
  const snapshot = keyspace.startSnapshot((dbIndex, { entries }, ref) => {
    const key = `${dbIndex}:${textOf(entries.key(ref))}`;
    expect(seen.has(key)).toBe(false);
    seen.set(key, record(entries, ref));
  });
  return snapshot && { snapshot, expected, seen };
}

/** One random change. */
function change(keyspace: Keyspace, rng: ReturnType<typeof seededRng>): void {
  const db: Database = keyspace.db(rng.below(2));
  const key = Buffer.from(`k${rng.below(600)}`);
  const ref = db.find(key, 0, key.length);
  const buf = Buffer.from(`value ${rng.below(1e6)}`);
  const value = { buf, at: 0, size: buf.length };
  const dice = rng.below(1000);
  if (dice < 3) keyspace.flushAll();
  else if (dice < 10) keyspace.swapDb(0, 1);
  else if (dice < 12) keyspace.replaceWith(createKeyspace(keyspace.isClusterMode));
  else if (dice < 500 || ref === NONE) {
    db.setString(key, 0, key.length, value, dice & 1 ? 500 + rng.below(1000) : -1);
  } else if (dice < 600) db.delete(ref);
  else if (dice < 650) append(db, ref, value);
  else if (dice < 700) db.overwriteInt(ref, dice);
  else if (dice < 750) db.rename(ref, Buffer.from(`r${dice}`), 0, 4);
  else if (dice < 800) db.persist(db.setExpire(ref, 5));
  else if (dice < 850) db.expireIfDue(ref);
  else if (dice < 900) db.copyTo(ref, keyspace.db(1 - db.index), key, 0, key.length);
  else db.setExpire(ref, 2000 + dice);
}

test.each([false, true])(
  'a snapshot is the state at its start (cluster mode: %s)',
  (clusterMode) => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const rng = seededRng(seed);
        const keyspace = createKeyspace(clusterMode);
        for (let i = 0; i < 700; i++) change(keyspace, rng);
        const running: Running[] = [];
        for (let turn = 0; turn < 120; turn++) {
          for (let i = rng.below(12); i > 0; i--) change(keyspace, rng);
          if (rng.below(12) === 0) {
            const one = start(keyspace);
            if (one) running.push(one);
          }
          for (const one of [...running]) {
            if (one.snapshot.next(1 + rng.below(60))) {
              if (rng.below(60) === 0) one.snapshot.abort();
              if (!one.snapshot.isAborted) continue;
            } else expect(one.seen).toEqual(one.expected);
            running.splice(running.indexOf(one), 1);
          }
        }
        for (const one of running) {
          while (one.snapshot.next(100));
          expect(one.seen).toEqual(one.expected);
        }
      }),
      { seed: 21, numRuns: 25 },
    );
  },
);

test('four snapshots run at once, a fifth does not, and an aborted one makes place', () => {
  const keyspace = createKeyspace();
  for (let i = 0; i < 50; i++) change(keyspace, seededRng(i));
  const running = [start(keyspace), start(keyspace), start(keyspace), start(keyspace)];
  expect(start(keyspace)).toBeUndefined();
  running[2]?.snapshot.abort();
  const fifth = start(keyspace);
  while (fifth?.snapshot.next(3));
  expect(fifth?.seen).toEqual(fifth?.expected);
});

test('settling ends when nothing is aborted any more', () => {
  const keyspace = createKeyspace();
  for (let i = 0; i < 300; i++) change(keyspace, seededRng(i));
  start(keyspace)?.snapshot.abort();
  let slices = 0;
  while (keyspace.settleSnapshots(10)) expect(++slices).toBeLessThan(100);
  expect(slices).toBeGreaterThan(1);
});
