import { expect, test } from 'vitest';
import { seededRng, unixMs } from '../base/index.ts';
import type { Session } from '../commands/index.ts';
import { Keyspace } from '../keyspace/index.ts';
import { Watches } from './watches.ts';

const KEY = Buffer.from('key');

function world(): { keyspace: Keyspace; watches: Watches; session: Session } {
  const watches: Watches = new Watches(() => keyspace);
  const keyspace: Keyspace = new Keyspace({
    rng: seededRng(1),
    hooks: {
      expired: () => {
        watches.isExpiring = true;
      },
      touched: (db, buf, at, size) => watches.touched(db, buf, at, size),
      replaced: (db) => watches.replaced(db),
      rubbish: () => {},
    },
  });
  keyspace.isWatched = true;
  keyspace.nowMs = unixMs(1000);
  return { keyspace, watches, session: { dbIndex: 0, isWatchBroken: false } as Session };
}

function put(keyspace: Keyspace, db: number, expireAt = -1): void {
  const value = { buf: Buffer.from('value'), at: 0, size: 5 };
  keyspace.db(db).setString(KEY, 0, KEY.length, value, expireAt);
}

test('a change to a watched key breaks the watch, one in another database does not', () => {
  const { keyspace, watches, session } = world();
  watches.watch(session, KEY);
  put(keyspace, 1);
  expect(session.isWatchBroken).toBe(false);
  put(keyspace, 0);
  expect(session.isWatchBroken).toBe(true);
});

test('a flush breaks the watch of a key that was there, and of no other', () => {
  for (const existed of [false, true]) {
    const { keyspace, watches, session } = world();
    if (existed) put(keyspace, 0);
    watches.watch(session, KEY);
    keyspace.db(0).flush();
    expect(session.isWatchBroken).toBe(existed);
  }
});

test('an expired key is as good as absent when databases are exchanged', () => {
  // Whether the key is there: not at all, expired, or alive.
  const kinds = ['absent', 'expired', 'alive'] as const;
  for (const before of kinds) {
    for (const after of kinds) {
      const { keyspace, watches, session } = world();
      keyspace.nowMs = unixMs(0);
      if (before !== 'absent') put(keyspace, 0, before === 'expired' ? 500 : -1);
      if (after !== 'absent') put(keyspace, 1, after === 'expired' ? 500 : -1);
      keyspace.nowMs = unixMs(1000);
      watches.watch(session, KEY);
      keyspace.swapDb(0, 1);
      const isSame = before !== 'alive' && after !== 'alive';
      expect([before, after, session.isWatchBroken]).toEqual([before, after, !isSame]);
    }
  }
});

test('a key that was expired when it was watched may go without breaking the watch', () => {
  const { keyspace, watches, session } = world();
  keyspace.nowMs = unixMs(0);
  put(keyspace, 0, 500);
  keyspace.nowMs = unixMs(1000);
  watches.watch(session, KEY);
  keyspace.db(0).lookup(KEY, 0, KEY.length, 0);
  expect(session.isWatchBroken).toBe(false);
});

test('a watched key that expires since then counts as changed', () => {
  const { keyspace, watches, session } = world();
  put(keyspace, 0, 1500);
  watches.watch(session, KEY);
  expect(watches.hasExpired(session)).toBe(false);
  keyspace.nowMs = unixMs(2000);
  expect(watches.hasExpired(session)).toBe(true);
});
