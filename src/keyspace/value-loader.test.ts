/**
 * Goal: whatever bytes RESTORE gets, the database holds a whole value or none, and memory comes back. Method: payloads
 * of values in every encoding, changed at random, loaded, saved again and deleted.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { decodeDump } from '../rdb/index.ts';
import { NO_EXPIRY } from './database.ts';
import { Keyspace, NONE, ValueLoader, dumpValue } from './index.ts';

const FOOTER_BYTES = 10;
const KEY = { buf: Buffer.from('key'), at: 0, size: 3 };

/** DUMP payloads of redis-server 7.0.15: list, intset, set, hash, hash table, sorted set, skip list, stream; a zipmap. */
const sources: readonly Buffer[] = [
  '1201021c1c0000000500816102dfff02c12c02f2701101048568656c6c6f06ff0a00a6539fd8ffa8acdf',
  '0b20080000000300000090eefeffffffffff0100000000000000005ed0b2000000000a006d1112aaa56de8c5',
  '0203c011016201610a001ef3af2567da6d8a',
  '101414000000040081660201018167028374776f04ff0a00e318742b61db6fdf',
  '040201670374776f0166c0010a0095d21544c6b41c61',
  '1127270000000600836c6f7704842d696e6605836d69640483312e350484686967680583696e6604ff0a00238868ecd2c3adfa',
  '05030468696768000000000000f07f036d6964000000000000f83f036c6f77000000000000f0ff0a00c7bf2eeab1206fc9',
  '130110000000000000000500000000000000014042420000001900020101010201816602816702000103010001000101010201050102' +
    '010001010103010401050100010201dfff020101856f74686572068178020601ff0207000502050103020367727005020201000000' +
    '000000000500000000000000020068e5cf8b010000030105616c696365784ed514a201000001000000000000000500000000000000' +
    '02056f74686572070081ffffffffffffffff00000a00ca43a9f0fe097cd1',
  '090a0201660100310001670001ff0a000000000000000000',
].map((hex) => Buffer.from(hex, 'hex'));

const sorted = (bytes: Buffer): Buffer => Buffer.from(bytes).sort((a, b) => a - b);

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
  // The zipmap is for the damages only.
  for (const source of sources.slice(0, -1)) {
    expect(restore(source)).toBeUndefined();
    const first = dumpValue(db.store, db.find(KEY.buf, 0, KEY.size), {});
    deleteAll(keyspace);
    expect(restore(first)).toBeUndefined();
    const second = dumpValue(db.store, db.find(KEY.buf, 0, KEY.size), {});
    // The order of a table is its own.
    expect(sorted(second)).toEqual(sorted(first));
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
