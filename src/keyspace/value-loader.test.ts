/**
 * Goal: whatever bytes RESTORE gets, the database holds a whole value or none, and memory comes back. Method: payloads
 * of values in every encoding, changed at random, loaded, saved again and deleted.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { decodeDump } from '../rdb/index.ts';
import { REAL_PAYLOADS, ziplist, zipmap } from '../rdb/test-payloads.ts';
import { NO_EXPIRY } from './database.ts';
import { Keyspace, NONE, ValueLoader, dumpValue } from './index.ts';

const FOOTER_BYTES = 10;
const KEY = { buf: Buffer.from('key'), at: 0, size: 3 };

const packed = (type: number, blob: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, blob.length]), blob, Buffer.alloc(FOOTER_BYTES)]);

const sources: readonly Buffer[] = [
  ...Object.values(REAL_PAYLOADS).map((hex) =>
    Buffer.from(hex.endsWith('0a00') ? hex + '00'.repeat(8) : hex, 'hex'),
  ),
  packed(10, ziplist(['a', '300', '-1', 'b'.repeat(10)])),
  packed(13, ziplist(['a', '300', '-1', 'b'.repeat(10)])),
  packed(12, ziplist(['a', '300', 'b', '1e5'])),
  packed(9, zipmap(['a', '300', '-1', 'b'.repeat(10)])),
];

function create(): { keyspace: Keyspace; restore: (payload: Buffer) => string | undefined } {
  const hooks = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };
  const keyspace = new Keyspace({ rng: seededRng(3), hooks, databases: 1 });
  const loader = new ValueLoader();
  const restore = (payload: Buffer): string | undefined => {
    loader.begin(keyspace.db(0), KEY, NO_EXPIRY);
    const flaw = decodeDump(payload, 0, payload.length, loader);
    if (flaw === undefined) loader.end();
    else loader.discard();
    return flaw?.reason;
  };
  return { keyspace, restore };
}

function deleteAll(keyspace: Keyspace): void {
  const db = keyspace.db(0);
  const ref = db.find(KEY.buf, 0, KEY.size);
  if (ref !== NONE) db.delete(ref);
  while (keyspace.collect(1000));
}

test('a value that was loaded is saved as the same value', () => {
  const { keyspace, restore } = create();
  const db = keyspace.db(0);
  for (const source of sources) {
    expect(restore(source)).toBeUndefined();
    const first = dumpValue(db.store, db.find(KEY.buf, 0, KEY.size), {});
    deleteAll(keyspace);
    expect(restore(first)).toBeUndefined();
    const second = dumpValue(db.store, db.find(KEY.buf, 0, KEY.size), {});
    // The order of a table is its own.
    expect([...second].toSorted()).toEqual([...first].toSorted());
    deleteAll(keyspace);
    expect(db.size).toBe(0);
  }
});

test('damaged payloads leave nothing behind', () => {
  const { keyspace, restore } = create();
  const db = keyspace.db(0);
  restore(sources[0]!);
  deleteAll(keyspace);
  const { usedBytes } = keyspace.memory;
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() });
  let refusedCount = 0;
  fc.assert(
    fc.property(
      fc.nat(sources.length - 1),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (i, changes) => {
        let payload = Buffer.from(sources[i]!);
        for (const { at, byte, cut } of changes) {
          const place = at % (payload.length - FOOTER_BYTES);
          if (cut && payload.length > FOOTER_BYTES + 2) {
            payload = Buffer.concat([payload.subarray(0, place), payload.subarray(place + 1)]);
          } else payload[place] = byte;
        }
        const flaw = restore(payload);
        expect(db.size).toBe(flaw === undefined ? 1 : 0);
        if (flaw === undefined) dumpValue(db.store, db.find(KEY.buf, 0, KEY.size), {});
        else refusedCount++;
        deleteAll(keyspace);
        expect(keyspace.memory.usedBytes).toBe(usedBytes);
      },
    ),
    { seed: 21, numRuns: 1500 },
  );
  expect(refusedCount).toBeGreaterThan(400);
});
